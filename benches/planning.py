"""Measures how the time and the memory of planning grow: 1,000, 10,000 and 100,000 tasks.

python -m benches.planning                       all three
python -m benches.planning --sizes 500,1000      a look

Each task needs two others and has files of its own. `compile` reads the file, checks it and keeps
the normalized pipeline; `plan` goes from that to what a run would do; `graph` draws it. Ten times
the tasks should take about ten times the time and the memory: the last columns say how many.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benches import measure, rivals
from benches.build import Built, build
from benches.kept import kept

SIZES: Final = "1000,10000,100000"
MOST_BYTES: Final = 8 << 20


def main(arguments: Sequence[str]) -> None:
    """Measures each size and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", default=SIZES, help=f"(default: {SIZES})")
    parser.add_argument("--keep", action="store_true", help="the table in benches/results")
    options = parser.parse_args(arguments)
    built = build()
    with kept("planning", keep=options.keep):
        print("| tasks | | time | of a processor | peak | processor, times | peak, times |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        before: dict[str, measure.Sample] = {}
        for size in map(int, options.sizes.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                taken = _measure(built, Path(folder), size)
            for name, sample in taken.items():
                print(_row(size, name, sample, before.get(name)), flush=True)
            before = taken


def _measure(built: Built, folder: Path, size: int) -> dict[str, measure.Sample]:
    (folder / "pipeline.toml").write_text(pipeline(size))
    environment = rivals.environment(rivals.ninja(), built)
    last = f"t{size - 1}"
    commands = {
        "compile": ("compile",),
        "plan": ("run", last, "--dry", "--format", "json"),
        "graph": ("graph", last, "--format", "dot"),
    }
    taken = {}
    for name, words in commands.items():
        command = measure.Command((str(built.pipec), *words), folder, environment)
        taken[name] = measure.sample(
            command, before=_nothing, after=_nothing, scratch=folder, seconds=0
        )
    return taken


def pipeline(size: int) -> str:
    """A pipeline of so many tasks, in as few bytes as it takes: a file may have 8 MiB."""
    lines = ['name = "bench"', "[tasks]"]
    for number in range(size):
        needs = ",".join(f'"t{need}"' for need in sorted({number // 2, number - 1}) if need >= 0)
        needs = needs if number else ""
        lines.append(f't{number} = {{run="true",depends-on=[{needs}],outputs=["o/{number}"]}}')
    text = "\n".join(lines) + "\n"
    assert len(text) <= MOST_BYTES, "a file may have 8 MiB"
    return text


def _nothing() -> None:
    """Nothing has to be put back."""


def _row(size: int, name: str, sample: measure.Sample, before: measure.Sample | None) -> str:
    cells = [
        f"{size:,}",
        name,
        f"{sample.wall_ms / 1000:.2f} s",
        f"{sample.cpu_ms / 1000:.2f} s",
        f"{sample.peak_mb:.0f} MB",
        "" if before is None else f"{sample.cpu_ms / before.cpu_ms:.1f}",
        "" if before is None else f"{sample.peak_mb / before.peak_mb:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
