"""Signals, and readers that go away: the run ends in order and leaves nothing behind."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project
from tests.e2e.records import read_journal, read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left

if TYPE_CHECKING:
    import subprocess

PIPELINE = """
name = "app"

[tasks.long]
run = "{long}"

[tasks.next]
depends-on = ["long"]
run = "echo never"

[tasks.other]
run = "echo > started; exec sleep 300"
"""


def start(project: Project, long: str, *words: str, mark: str) -> "subprocess.Popen[bytes]":
    """Starts a run, and comes back when its task has written to the pipe `started`."""
    project.write("pipeline.toml", PIPELINE.format(long=long))
    os.mkfifo(project.folder / "started")
    process = project.start(*(words or ("run", "next")), env={MARK: mark})
    (project.folder / "started").read_text()
    return process


@pytest.mark.parametrize(
    ("number", "status", "heard"),
    [
        (signal.SIGINT, 130, "INT"),
        (signal.SIGTERM, 143, "TERM"),
        (signal.SIGHUP, 143, "TERM"),
    ],
)
def test_a_signal_reaches_the_tasks_and_the_record_is_finished(
    project: Project, number: signal.Signals, status: int, heard: str
) -> None:
    traps = " ".join(f"trap 'echo heard {name}; exit 7' {name};" for name in ("INT", "TERM"))
    mark = f"{project.folder}-{number}"
    process = start(project, f"{traps} sleep 300 & echo > started; wait", mark=mark)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == status
    assert_none_left(mark)
    (record,) = read_records(project.folder)
    assert (record["status"], record["exit_code"]) == ("interrupted", status)
    assert record["reason"] == number.name
    assert statuses(record) == {"long": "cancelled", "next": "skipped"}
    assert {task["reason"] for task in record["tasks"]} == {"interrupted"}
    log = project.read(f".pipec/runs/{record['run_id']}/logs/long.log")
    assert log == f"heard {heard}\n"
    assert read_journal(project.folder, record["run_id"])[-1]["event"] == "run_finished"


def test_a_second_signal_kills_at_once(project: Project) -> None:
    mark = str(project.folder)
    stubborn = "trap 'echo > started' INT; echo > started; while :; do sleep 0.01; done"
    process = start(project, stubborn, mark=mark)
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    (project.folder / "started").read_text()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - before < 4.5
    assert_none_left(mark)


def test_nothing_survives_an_interrupted_run_whatever_it_did_to_hide(project: Project) -> None:
    mark = str(project.folder)
    hidden = "setsid sh -c 'trap \\\"\\\" INT TERM; sleep 300' & echo > started; wait"
    process = start(project, hidden, mark=mark)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert_none_left(mark)


def test_several_tasks_end_together(project: Project) -> None:
    mark = str(project.folder)
    words = ("run", "next", "other", "--concurrency", "2")
    process = start(project, "sleep 300", *words, mark=mark)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert_none_left(mark)
    (record,) = read_records(project.folder)
    assert statuses(record)["other"] == "cancelled"


def test_a_reader_that_closes_the_pipe_ends_the_run(project: Project) -> None:
    mark = str(project.folder)
    words = ("run", "next", "--format", "jsonl")
    chatty = "echo > started; while :; do echo line; sleep 0.02; done"
    process = start(project, chatty, *words, mark=mark)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=30) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert_none_left(mark)
    (record,) = read_records(project.folder)
    assert (record["status"], record["exit_code"]) == ("interrupted", 141)


def test_a_run_inside_a_run_ends_with_it(project: Project, tmp_path: Path) -> None:
    mark = str(project.folder)
    inner = tmp_path / "inner"
    inner.mkdir()
    fifo = project.folder / "started"
    (inner / "pipeline.toml").write_text(
        f'name = "inner"\n[tasks.deep]\nrun = "echo > {fifo}; exec sleep 300"\n'
    )
    process = start(project, f"cd {inner}; {sys.executable} -m pipec run deep", mark=mark)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert_none_left(mark)
    (record,) = read_records(inner)
    assert record["status"] == "interrupted"
