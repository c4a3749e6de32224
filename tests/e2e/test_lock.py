"""Two commands at once in one project."""

import os
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records

PIPELINE = """
name = "app"
[tasks.hold]
run = "echo > started; cat release"
[tasks.quick]
run = "true"
"""


@pytest.fixture
def held(project: Project):
    """A project in which a run goes on until something is written to `release`."""
    project.write("pipeline.toml", PIPELINE)
    os.mkfifo(project.folder / "started")
    os.mkfifo(project.folder / "release")
    process = project.start("run", "hold")
    (project.folder / "started").read_text()
    yield process
    if process.poll() is None:
        (project.folder / "release").write_text("go")
    process.communicate(timeout=30)


@pytest.mark.parametrize("words", [("run", "quick"), ("gc",), ("cache", "clear")])
def test_a_second_command_fails_at_once_and_names_the_first(
    project: Project, held, words: tuple[str, ...]
) -> None:
    result = project.pipec(*words)
    assert result.status == 2
    assert "PIPEC_RUN_ACTIVE" in result.stderr
    assert f"process {held.pid}" in result.stderr
    assert len(read_records(project.folder)) == 1


def test_of_runs_that_start_together_one_works_and_the_others_name_it(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    os.mkfifo(project.folder / "started")
    os.mkfifo(project.folder / "release")
    runs = [project.start("run", "hold") for _ in range(4)]
    with ThreadPoolExecutor(len(runs)) as threads:
        ends = {threads.submit(run.communicate, timeout=60): run for run in runs}
        (project.folder / "started").read_text()
        ended = as_completed(ends)
        refused = [ends[next(ended)] for _ in runs[1:]]
        (worker,) = set(runs) - set(refused)
        (project.folder / "release").write_text("go")
        told = [end.result()[1].decode() for end, run in ends.items() if run in refused]
    assert worker.returncode == 0
    assert [run.returncode for run in refused] == [2, 2, 2]
    assert all(f"process {worker.pid}" in text for text in told), told
    assert [record["status"] for record in read_records(project.folder)] == ["passed"]


def test_a_dry_run_needs_no_lock(project: Project, held) -> None:
    assert project.pipec("run", "quick", "--dry").status == 0


def test_a_second_run_can_wait(project: Project, held) -> None:
    waiting = project.start("run", "quick", "--wait")
    assert waiting.stderr is not None
    assert str(held.pid) in waiting.stderr.readline().decode()
    (project.folder / "release").write_text("go")
    waiting.communicate(timeout=30)
    assert waiting.returncode == 0
    held.communicate(timeout=30)
    assert [record["status"] for record in read_records(project.folder)] == ["passed", "passed"]


def test_a_run_that_was_killed_leaves_no_lock_and_its_record_is_repaired(
    project: Project, held
) -> None:
    held.kill()
    held.wait()
    assert read_records(project.folder)[0]["status"] == "running"
    result = project.pipec("run", "quick")
    assert result.status == 0
    crashed, passed = read_records(project.folder)
    assert (crashed["status"], crashed["reason"]) == ("interrupted", "crashed")
    assert [task["status"] for task in crashed["tasks"]] == ["cancelled"]
    assert passed["status"] == "passed"
