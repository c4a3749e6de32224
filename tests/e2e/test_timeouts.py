"""Limits of tasks and steps, as the command line shows them."""

from tests.conftest import Project
from tests.e2e.records import read_records
from tests.e2e.survivors import MARK, assert_none_left


def test_a_task_that_takes_too_long_fails_and_says_so(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.slow]\ntimeout = "100ms"\nrun = "sleep 300 & sleep 300"\n',
    )
    mark = str(project.folder)
    result = project.pipec("run", "slow", env={MARK: mark})
    assert result.status == 1
    assert "`sleep 300 & sleep 300` was ended: the task may take" in result.stderr
    assert_none_left(mark)
    (record,) = read_records(project.folder)
    (task,) = record["tasks"]
    assert task["error"]["code"] == "PIPEC_TIMED_OUT"
    assert task["attempts"][0]["exit_code"] == 124
    assert task["attempts"][0]["timed_out"] is True


def test_a_step_has_a_limit_of_its_own(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.slow]\ntimeout = "1h"\n'
        'run = ["true", { sh = "sleep 300", timeout = 50 }]\n',
    )
    result = project.pipec("run", "slow")
    assert result.status == 1
    assert "`sleep 300` was ended: the step may take" in result.stderr
    (record,) = read_records(project.folder)
    steps = record["tasks"][0]["attempts"][0]["steps"]
    assert [(step["exit_code"], step["timed_out"]) for step in steps] == [(0, False), (124, True)]


def test_each_attempt_has_the_whole_limit(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.slow]\ntimeout = "5s"\nretry = 3\n'
        'run = "test $PIPEC_ATTEMPT = 3 || { sleep 0.05; exit 9; }"\n',
    )
    assert project.pipec("run", "slow").status == 0
    (record,) = read_records(project.folder)
    codes = [attempt["exit_code"] for attempt in record["tasks"][0]["attempts"]]
    assert codes == [9, 9, 0]
