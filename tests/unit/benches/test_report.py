"""Samples become numbers, numbers verdicts and tables, without anything being timed here."""

import json
from dataclasses import asdict

import pytest
from inline_snapshot import snapshot

from benches.cases import PYTHON
from benches.measure import Sample
from benches.report import markdown
from benches.run import render
from benches.tally import Number, Numbers, from_json
from benches.targets import Verdict, judge


def sampled(ms: float, foreign: float) -> Sample:
    return Sample(wall_ms=ms, cpu_ms=ms, peak_mb=30, foreign=foreign, runs=1)


def number(ms: float, *, noisy: bool = False) -> Number:
    return Number(ms=ms, cpu_ms=ms, peak_mb=50, foreign=0.01, samples=3, discarded=1, noisy=noisy)


WARM = Numbers(
    taken={
        ("-", "version", PYTHON): number(10),
        ("-", "version", "pipec"): number(13.94),
        ("S", "warm", PYTHON): number(10),
        ("S", "warm", "floor: check"): number(6),
        ("S", "warm", "pipec"): number(42),
        ("S", "warm", "turbo"): number(75, noisy=True),
    },
    files={"S": 2109},
    folders={"S": 354},
    tasks={"S": 100},
    calls={},
    rewritten={"pipec": 0},
    blind_mb=22,
)


def verdict(numbers: Numbers, case: str, says: str) -> Verdict:
    """How one target came out."""
    (found,) = [
        each for each in judge(numbers) if (each.target.case, each.target.says) == (case, says)
    ]
    return found


def test_a_sample_that_others_disturbed_does_not_count() -> None:
    calm = [sampled(10, 0.01), sampled(11, 0.02), sampled(12, 0.0)]
    assert Number.of([sampled(90, 0.5), *calm]) == Number(
        ms=11,
        cpu_ms=11,
        peak_mb=30,
        foreign=pytest.approx(0.01),
        samples=3,
        discarded=1,
        noisy=False,
    )


def test_a_number_without_calm_samples_says_so() -> None:
    taken = Number.of([sampled(10, 0.3), sampled(20, 0.4), sampled(30, 0.5), sampled(40, 0.6)])
    assert (taken.ms, taken.samples, taken.discarded, taken.noisy) == (15, 2, 2, True)


def test_a_target_is_judged_by_the_numbers_of_its_own_row() -> None:
    missed = verdict(WARM, "warm, S", "≤ 2.5 x (P + check)")
    assert (missed.taken, missed.limit, missed.reached) == (42, 40, False)
    assert verdict(WARM, "warm, S", "≤ 0.6 x turbo").reached is True
    assert verdict(WARM, "outputs present", "none written again").reached is True


def test_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    assert verdict(WARM, "peak memory, L", "≤ 90 MB").reached is None


def test_the_tables_show_misses_noise_and_ratios() -> None:
    text = markdown(WARM, ["hash on S: pipec ran 1 tasks instead of 0"])
    lines = [line for line in text.splitlines() if "not measured" not in line]
    assert "\n".join(lines) == snapshot("""\
### Targets

| case | target | here | taken | outcome |
| --- | --- | --- | --- | --- |
| warm, S | ≤ 2.5 x (P + check) | 40.0 ms | 42.0 ms | **missed**, 1.05 of it |
| warm, S | ≤ 0.6 x turbo | 45.0 ms | 42.0 ms | reached, 0.93 of it |
| `--version` | ≤ 1.4 x P | 14.0 ms | 13.9 ms | reached, 1.00 of it |
| outputs present | none written again | 0 files | 0 files | reached |

### Nothing changed, all tasks cached, outputs present

In brackets: multiples of the floor check.

|  | S ms |
| --- | --- |
| python -I -S -c pass | 10.0 (1.67) |
| floor: check | 6.00 |
| **pipec** | 42.0 (7.00) |
| turbo | ~75.0 (12.5) |

### `--version`

In brackets: multiples of python -I -S -c pass.

|  | ms |
| --- | --- |
| python -I -S -c pass | 10.0 |
| **pipec** | 13.9 (1.39) |

### Peak memory of a warm run

|  | S MB |
| --- | --- |
| pipec | 50 |
| turbo | 50 |

### Outputs that were there and were written again

|  | files |
| --- | --- |
| pipec | 0 |

### The machine: in the time of P it does

| what | how many |
| --- | --- |
| the same and looked up in an index | 3,515 |

Remarks of the run:

- hash on S: pipec ran 1 tasks instead of 0\
""")


def test_a_results_file_gives_the_same_numbers_back() -> None:
    document = {
        "date": "2026-01-02T03:04:05+00:00",
        "mode": "quick",
        "numbers": [
            {"tree": tree, "row": row, "who": who, **asdict(each)}
            for (tree, row, who), each in WARM.taken.items()
        ],
        "counts": {
            name: getattr(WARM, name)
            for name in ("files", "folders", "tasks", "calls", "rewritten", "blind_mb")
        },
        "remarks": [],
    }
    read = json.loads(json.dumps(document))
    assert from_json(read) == WARM
    assert render(read).startswith("Taken 2026-01-02, quick. S: 2,109 files, 100 tasks.")
