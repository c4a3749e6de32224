"""In which order tasks start, and how many at once, as a user sees it."""

import os

import pytest

from tests.conftest import Project
from tests.e2e.records import read_journal, read_records, statuses
from tests.e2e.ways import WAYS


def events(project: Project) -> list[dict]:
    return read_journal(project.folder, read_records(project.folder)[-1]["run_id"])


def started(project: Project) -> list[str]:
    """The tasks of the last run, in the order in which they started."""
    return [event["task"] for event in events(project) if event["event"] == "task_started"]


def most_at_once(project: Project, among: str = "") -> int:
    """How many tasks whose ids begin so have run at the same time."""
    running: set[str] = set()
    most = 0
    for event in events(project):
        if event["event"] == "task_started" and event["task"].startswith(among):
            running.add(event["task"])
        elif event["event"] == "task_finished":
            running.discard(event["task"]["id"])
        most = max(most, len(running))
    return most


ORDER = """
name = "order"
[tasks.d]
run = "true"
[tasks.c]
run = "true"
[tasks.b]
run = "true"
[tasks.b2]
depends-on = ["b"]
run = "true"
[tasks.b3]
depends-on = ["b2"]
run = "true"
[tasks.a]
priority = -1
run = "true"
[tasks.z]
priority = 1
run = "true"
"""


@WAYS
def test_priority_goes_first_then_the_longest_chain_then_the_id(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write("pipeline.toml", ORDER)
    words = ("run", "a", "c", "d", "b3", "z", "--concurrency", "1", *way)
    assert project.pipec(*words).status == 0
    # Nobody knows yet how long they take: each counts the same.
    assert started(project) == ["z", "b", "b2", "b3", "c", "d", "a"]


@WAYS
def test_a_chain_is_as_long_as_its_tasks_took_when_they_last_ran(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write(
        "pipeline.toml",
        """
name = "order"
[tasks.quick]
run = "true"
[tasks.quick-next]
depends-on = ["quick"]
run = "true"
[tasks.slow]
run = "sleep 0.5"
""",
    )
    words = ("run", "quick-next", "slow", "--concurrency", "1", *way)
    assert project.pipec(*words).status == 0
    # Two are longer than one, as long as nobody knows better.
    assert started(project)[0] == "quick"
    assert project.pipec(*words).status == 0
    assert started(project)[0] == "slow"


@WAYS
def test_a_pool_bounds_its_own_tasks_and_no_others(project: Project, way: tuple[str, ...]) -> None:
    pooled = "".join(f'[tasks.db{n}]\npool = "db"\nrun = "true"\n' for n in range(2, 8))
    project.write(
        "pipeline.toml",
        f"""
name = "pools"
[pools]
db = 2
[tasks.db0]
pool = "db"
priority = 1
run = "cat db >/dev/null; cat other >/dev/null"
[tasks.db1]
pool = "db"
priority = 1
run = "echo > db"
[tasks.other]
run = "echo > other"
{pooled}
""",
    )
    # Who opens one of these waits for somebody at the other end: both run at the same time.
    os.mkfifo(project.folder / "db")
    os.mkfifo(project.folder / "other")
    names = [f"db{n}" for n in range(8)]
    assert project.pipec("run", *names, "other", "--concurrency", "6", *way).status == 0
    assert most_at_once(project, "db") == 2


@WAYS
@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_run_than_may(project: Project, way: tuple[str, ...], limit: int) -> None:
    tasks = "".join(f'[tasks.t{n}]\nrun = "sleep 0.05"\n' for n in range(9))
    project.write("pipeline.toml", f'name = "many"\n{tasks}')
    names = [f"t{n}" for n in range(9)]
    words = ("run", *names, "--concurrency", str(limit), *way)
    assert project.pipec(*words).status == 0
    assert most_at_once(project) <= limit
    assert len(started(project)) == len(set(started(project))) == 9


@WAYS
def test_a_task_of_a_matrix_is_a_task_for_each_value(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write(
        "pipeline.toml",
        """
name = "matrix"
[tasks.test]
matrix = { py = ["3.11", "3.12"] }
run = "echo $PIPEC_MATRIX_PY >> seen"
[tasks.all]
depends-on = ["test"]
run = "true"
""",
    )
    result = project.pipec("run", "all", "--concurrency", "1", *way)
    assert result.status == 0, result.stderr
    assert project.read("seen") == "3.11\n3.12\n"
    record = read_records(project.folder)[-1]
    assert len(statuses(record)) == 3
