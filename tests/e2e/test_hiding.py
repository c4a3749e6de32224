"""Processes that hide from the end of their run or task: whatever ends it, none of them is left."""

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left
from tests.e2e.ways import WAYS

if TYPE_CHECKING:
    import subprocess

DEAF = 'trap "" INT TERM HUP'
HOLDS_THE_PIPE = f"({DEAF}; exec sleep 300) &"
# Each is gone from the group of its task, and hears nobody who asks.
HIDDEN = """
(trap "" INT TERM HUP; exec setsid sleep 300) </dev/null >/dev/null 2>&1 &
(trap "" INT TERM HUP; (setsid sleep 300 &) &) </dev/null >/dev/null 2>&1
"""


# And these have nothing left that tells where they come from, but for a mark that the test knows.
NAMELESS = f"""
(trap "" INT TERM HUP; (env -i {MARK}="${MARK}" setsid sleep 300 &) &) </dev/null >/dev/null 2>&1
cat >daemon.sh <<'END'
(setsid sleep 300 &)
sleep 300
END
(trap "" INT TERM HUP; (env -i {MARK}="${MARK}" setsid sh daemon.sh &) &) </dev/null >/dev/null 2>&1
"""


def start(project: Project, script: str, *words: str, limit: str = "") -> "subprocess.Popen[bytes]":
    """Starts a run of a task with this script, and comes back when all of it has been done."""
    project.write("hide.sh", f"{script}\necho > started\nexec sleep 300\n")
    project.write(
        "pipeline.toml",
        f'name = "app"\n[tasks.hide]\nrun = "exec sh hide.sh"\n{limit}\n'
        '[tasks.next]\ndepends-on = ["hide"]\nrun = "true"\n',
    )
    os.mkfifo(project.folder / "started")
    process = project.start("run", "next", *words, env={MARK: str(project.folder)})
    (project.folder / "started").read_text()
    return process


def the_record(project: Project) -> dict:
    (record,) = read_records(project.folder)
    return record


@WAYS
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_who_hides(
    project: Project, number: signal.Signals, status: int, way: tuple[str, ...]
) -> None:
    process = start(project, HIDDEN + NAMELESS, *way)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == status
    assert_none_left(str(project.folder), within_s=0)
    record = the_record(project)
    assert (record["status"], record["reason"]) == ("interrupted", number.name)
    assert statuses(record) == {"hide": "cancelled", "next": "skipped"}


@WAYS
def test_who_is_deaf_is_killed_after_the_grace(project: Project, way: tuple[str, ...]) -> None:
    process = start(project, f"{HIDDEN}\n{HOLDS_THE_PIPE}\n{DEAF}", *way)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert_none_left(str(project.folder), within_s=0)
    (step,) = the_record(project)["tasks"][0]["attempts"][0]["steps"]
    assert (step["signal"], step["exit_code"]) == ("SIGKILL", 137)


@WAYS
def test_a_second_signal_does_not_wait_for_who_is_deaf(
    project: Project, way: tuple[str, ...]
) -> None:
    process = start(project, f"{HIDDEN}\n{HOLDS_THE_PIPE}\n{DEAF}", *way)
    stop(process)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        process.send_signal(number)
    process.communicate(timeout=60)
    assert_none_left(str(project.folder), within_s=0)
    record = the_record(project)
    assert record["status"] == "interrupted"
    assert process.returncode == record["exit_code"]
    (step,) = record["tasks"][0]["attempts"][0]["steps"]
    assert step["signal"] == "SIGKILL"


@WAYS
def test_a_third_signal_gives_up_and_still_nothing_is_left(
    project: Project, way: tuple[str, ...]
) -> None:
    process = start(project, f"{HIDDEN}\n{HOLDS_THE_PIPE}\n{DEAF}", *way)
    stop(process)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCONT):
        process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    assert_none_left(str(project.folder))
    assert the_record(project)["status"] == "running"
    # Who comes next says what became of it.
    assert project.pipec("run", "none").status == 2
    assert "interrupted" in project.pipec("runs", "ls").stdout


def stop(process: "subprocess.Popen[bytes]") -> None:
    """What is sent from now on is all there when it goes on."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


@WAYS
def test_a_task_out_of_time_leaves_nothing(project: Project, way: tuple[str, ...]) -> None:
    process = start(project, HIDDEN, *way, limit='timeout = "1s"')
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert_none_left(str(project.folder), within_s=0)
    record = the_record(project)
    assert record["tasks"][0]["error"]["code"] == "PIPEC_TIMED_OUT"
    assert statuses(record) == {"hide": "failed", "next": "skipped"}


@WAYS
def test_a_run_out_of_time_leaves_nothing(project: Project, way: tuple[str, ...]) -> None:
    process = start(project, HIDDEN + NAMELESS, *way, "--timeout", "1s")
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert_none_left(str(project.folder), within_s=0)
    record = the_record(project)
    assert record["reason"].startswith("timed out")
    assert statuses(record) == {"hide": "cancelled", "next": "skipped"}


@WAYS
def test_a_run_that_is_killed_leaves_nothing(project: Project, way: tuple[str, ...]) -> None:
    process = start(project, f"{HIDDEN}\n{HOLDS_THE_PIPE}\n{DEAF}", *way)
    process.kill()
    process.communicate(timeout=60)
    assert_none_left(str(project.folder))
    assert the_record(project)["status"] == "running"
