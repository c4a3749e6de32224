"""Output in large amounts: nothing of it is lost or mixed up, and it takes no memory."""

import json
import subprocess
import sys
from collections import defaultdict

import pytest

from tests.conftest import Project
from tests.e2e.ways import WAYS

pytestmark = pytest.mark.slow

TASKS, LINES = 50, 1000
MIB = 1 << 20
# What a process takes is never twice the same; a log that was kept would take a hundred times this.
MORE = 10 * MIB

# Tells how much memory a command took at most. A process begins with what its parent has: this one
# is small.
MEASURE = """
import json, os, sys
pid = os.posix_spawn(sys.executable, [sys.executable, "-m", "pipec", *sys.argv[1:]], os.environ,
    file_actions=[(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (1, 2)])
_, status, used = os.wait4(pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024]))
"""


@WAYS
def test_lines_of_fifty_tasks_are_whole_and_in_order(
    project: Project, way: tuple[str, ...]
) -> None:
    names = [f"t{number:02}" for number in range(TASKS)]
    tasks = (f"[tasks.{name}]\nrun = \"seq -f '%g of {name}' {LINES}\"\n" for name in names)
    project.write(
        "pipeline.toml", 'name = "much"\n' + "\n".join(tasks) + f"[jobs.all]\ntarget = {names}\n"
    )
    # As many at once as there are: a thousand lines a second are few.
    words = ("--log-order", "stream", "--concurrency", str(TASKS), *way)
    result = project.pipec("run", "all", *words)
    assert result.status == 0, result.stderr
    said: dict[str, list[str]] = defaultdict(list)
    for line in result.stderr.splitlines():
        if line.startswith("["):
            name, _, text = line[1:].partition("] ")
            said[name].append(text)
    for name in names:
        expected = [f"{number} of {name}" for number in range(1, LINES + 1)]
        assert said[name] == expected
        (log,) = project.folder.glob(f".pipec/runs/*/logs/{name}.log")
        assert log.read_text().splitlines() == expected


@WAYS
def test_a_log_of_a_gibibyte_takes_no_more_memory_than_one_of_a_mebibyte(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write(
        "pipeline.toml",
        f"""
name = "much"

[tasks.little]
run = "yes | head -c {MIB}"

[tasks.much]
run = "yes | head -c {1024 * MIB}"
""",
    )
    project.environment["PIPEC_MAX_LOG_BYTES"] = str(MIB)
    little, much = (peak(project, "run", name, *way) for name in ("little", "much"))
    assert much < little + MORE


def peak(project: Project, *words: str) -> int:
    """The most memory that pipec took, in bytes."""
    measured = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURE, *words],
        cwd=project.folder,
        env=project.environment,
        check=True,
        capture_output=True,
    )
    status, most = json.loads(measured.stdout)
    assert status == 0
    return int(most)
