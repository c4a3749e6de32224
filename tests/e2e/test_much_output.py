"""Output in large amounts: nothing of it is lost or mixed up, and it takes no memory."""

import json
import subprocess
import sys
import time
from collections import defaultdict

import pytest

from tests.conftest import Project
from tests.e2e.records import read_journal, read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left
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


# A thousand lines a second by all of them; what it has printed, it notes with the time.
CHATTER = """
import os, sys, time
name = sys.argv[1]
noted = os.open(f"noted-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for number in range(1, 100_000):
    line = f"{number} of {name}"
    os.write(1, f"{line}\\n".encode())
    os.write(noted, f"{time.time()} {line}\\n".encode())
    time.sleep(0.05)
"""


@WAYS
def test_a_run_that_is_killed_keeps_what_was_printed_up_to_the_last_second(
    project: Project, way: tuple[str, ...]
) -> None:
    names = [f"t{number:02}" for number in range(TASKS)]
    project.write("chatter.py", CHATTER)
    tasks = (
        f'[tasks.{name}]\nrun = "{sys.executable} -I -S chatter.py {name}"\n' for name in names
    )
    project.write(
        "pipeline.toml", 'name = "much"\n' + "\n".join(tasks) + f"[jobs.all]\ntarget = {names}\n"
    )
    mark = str(project.folder)
    words = ("run", "all", "--concurrency", str(TASKS), *way)
    process = project.start(*words, env={MARK: mark})
    # All of them have talked for two seconds.
    while any(len(noted(project, name)) < 40 for name in names):
        assert process.poll() is None
        time.sleep(0.1)
    process.kill()
    killed_at = time.time()
    process.communicate()
    assert_none_left(mark)

    (folder,) = (project.folder / ".pipec/runs").iterdir()
    for name in names:
        lines = (folder / f"logs/{name}.log").read_text().splitlines(keepends=True)
        whole = [line.rstrip("\n") for line in lines if line.endswith("\n")]
        assert len(lines) - len(whole) <= 1
        # In order, and each once.
        assert whole == [f"{number} of {name}" for number in range(1, len(whole) + 1)]
        before = [line for at, line in noted(project, name) if at < killed_at - 1]
        assert before
        assert len(whole) >= len(before)
    started = {
        event["task"]
        for event in read_journal(project.folder, folder.name)
        if event["event"] == "step_started"
    }
    assert started == set(names)

    # Whoever looks before there is another run is told, and the next run writes it down.
    (listed,) = json.loads(project.pipec("runs", "ls", "--format", "json").stdout)["runs"]
    assert listed["status"] == "interrupted"
    shown = json.loads(project.pipec("runs", "show", "latest", "--format", "json").stdout)
    told = project.pipec("explain", "--run", "latest").stdout
    assert "interrupted (crashed)" in told
    assert project.pipec("run", "t00", "--timeout", "200ms").status == 1
    crashed, _ = read_records(project.folder)
    assert json.loads(project.plain(json.dumps(crashed).encode())) == shown
    assert (crashed["status"], crashed["reason"]) == ("interrupted", "crashed")
    assert set(statuses(crashed).values()) == {"cancelled"}
    # What these have printed is named, so that it is found.
    assert all(task["log"] for task in crashed["tasks"])


def noted(project: Project, name: str) -> list[tuple[float, str]]:
    """The lines that a task has printed, and when."""
    path = project.folder / f"noted-{name}"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(float(at), line) for at, _, line in (line.partition(" ") for line in lines)]


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
