"""Large pipelines load, in linear time and little memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipec.codes import Code
from tests.pipelines import findings_of

TASKS = 10_000

# The most memory of the process itself: on Linux `ru_maxrss` begins with that of its parent.
SCRIPT = """
import pathlib, re, resource, sys
from pipec import ir
from pipec.frontend import discover, load
loaded = load.load(discover.find(sys.argv[1]))
encoded = ir.encode(loaded.pipeline)
assert ir.decode(encoded) == loaded.pipeline
if sys.platform == "linux":
    status = pathlib.Path("/proc/self/status").read_text()
    most = int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1]) * 1024
else:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(loaded.pipeline.tasks), most)
"""


def wide(number: int) -> str:
    return (
        f"[tasks.t{number}]\n"
        f'inputs = ["pkg{number}/src/**", "!pkg{number}/src/x", "common"]\n'
        f'outputs = ["pkg{number}/dist/**"]\ncache = true\nrun = "make"\nenv = {{ A = "x" }}\n'
    )


def chain(number: int) -> str:
    needs = f'"t{number + 1}"' if number + 1 < TASKS else ""
    return (
        f'[tasks.t{number}]\ndepends-on = [{needs}]\ninputs = ["out/{number + 1}"]\n'
        f'outputs = ["out/{number}"]\n'
    )


def yaml_chain(number: int) -> str:
    needs = f"t{number - 1}" if number else ""
    return f"  t{number}: {{depends-on: [{needs}]}}\n"


@pytest.mark.parametrize(
    ("name", "head", "task"),
    [
        ("pipeline.toml", 'name = "app"\nnamed-inputs.common = ["package.json"]\n', wide),
        ("pipeline.toml", 'name = "app"\n', chain),
        ("pipeline.yaml", "name: app\ntasks:\n", yaml_chain),
    ],
)
def test_ten_thousand_tasks_take_less_than_300_megabytes(
    tmp_path: Path, name: str, head: str, task: object
) -> None:
    assert callable(task)
    (tmp_path / name).write_text(head + "".join(task(number) for number in range(TASKS)))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    tasks, memory = map(int, done.stdout.split())
    assert tasks == TASKS
    assert 10 * 1000 * 1000 < memory < 300 * 1000 * 1000


def test_named_inputs_that_nest_without_end_are_refused() -> None:
    levels = [f'n{level} = ["n{level - 1}"]' for level in range(1, 20_000)]
    text = "\n".join(['name = "app"', "[named-inputs]", 'n0 = ["a"]', *levels, "[tasks.t]"])
    findings = [finding for finding in findings_of(text) if finding.severity == "error"]
    assert [(finding.code, finding.labels[0].route) for finding in findings] == [
        (Code.INVALID_VALUE, ("named-inputs", "n100"))
    ]
