"""`--concurrency`: how many tasks run at the same time, told by who waits for whom."""

import os
from collections.abc import Sequence

import pytest

from pipec.cli.concurrency import usable_cores
from tests.conftest import Project
from tests.e2e.records import read_journal, read_records
from tests.e2e.ways import WAYS

MOST_CORES = 2

TOGETHER = (
    "touch here.$PIPEC_TASK; while [ $(ls here.* | wc -l) -lt {together} ]; do sleep 0.01; done"
)
"""Nobody ends before this many have started: with fewer at once the run would never end."""


def bind_to(cores: Sequence[int]) -> None:
    """Leaves a process that is about to start no other cores."""
    os.sched_setaffinity(0, cores)


def usable() -> list[int]:
    return sorted(os.sched_getaffinity(0))[:MOST_CORES]


def cores() -> int:
    return min(len(usable()), usable_cores())


def most_at_once(project: Project) -> int:
    running = most = 0
    for event in read_journal(project.folder, read_records(project.folder)[-1]["run_id"]):
        running += (event["event"] == "task_started") - (event["event"] == "task_finished")
        most = max(most, running)
    return most


EXPECTED = {
    "1": 1,
    "3": 3,
    "auto": cores(),
    "100%": cores(),
    "50%": max(1, cores() // 2),
    "1%": 1,
    "200%": 2 * cores(),
    None: cores(),
}


@WAYS
@pytest.mark.parametrize("value", EXPECTED, ids=str)
def test_so_many_run_at_once_and_not_more(
    project: Project, way: tuple[str, ...], value: str | None
) -> None:
    expected = EXPECTED[value]
    run = TOGETHER.format(together=expected)
    # A whole number of rounds: the last one would wait for others otherwise.
    names = [f"t{number}" for number in range(2 * expected)]
    project.write(
        "pipeline.toml",
        "name = 'app'\n" + "".join(f"[tasks.{name}]\nrun = '{run}'\n" for name in names),
    )
    words = () if value is None else ("--concurrency", value)
    process = project.start("run", *way, *names, *words, preexec_fn=lambda: bind_to(usable()))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert most_at_once(project) == expected
    assert read_records(project.folder)[-1]["request"]["concurrency"] == expected


@WAYS
@pytest.mark.parametrize("value", ["0", "0%", "-1", "many", "1.5", "50 %", "%", "", "٣"])
def test_anything_else_is_refused_with_what_can_be_written(
    project: Project, way: tuple[str, ...], value: str
) -> None:
    project.write("pipeline.toml", "name = 'app'\n[tasks.t]\nrun = 'true'\n")
    result = project.pipec("run", *way, "t", f"--concurrency={value}")
    assert result.status == 2
    assert result.stderr.startswith(
        f"error[PIPEC_USAGE]: `{value}` is no value for `--concurrency`\n"
        "help: write a number such as `4`, a share of the cores such as `50%`, or `auto`\n"
    )
    assert read_records(project.folder) == []
