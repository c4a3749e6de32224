"""What is said of tasks that never started: one line, however many they are, on both ways."""

import os
import signal

import pytest

from tests.conftest import Project, Result
from tests.e2e.records import read_records, statuses
from tests.e2e.ways import WAYS


def write(project: Project, number: int, *, first: str = "exit 3", needs: int = 0) -> None:
    """A task that goes first, and others; the first ones of those depend on it."""
    text = f"name = 'app'\n[tasks.a]\npriority = 1\nrun = '''{first}'''\n"
    for n in range(number):
        on = "depends-on = ['a']\n" if n < needs else ""
        text += f"[tasks.t{n}]\n{on}run = 'true'\n"
    names = ["a", *(f"t{n}" for n in range(number))]
    project.write("pipeline.toml", f"{text}[jobs.all]\ntarget = {names}\n")


def run(project: Project, way: tuple[str, ...], *words: str) -> Result:
    return project.pipec("run", "all", *way, "--concurrency", "1", *words)


@WAYS
@pytest.mark.parametrize(
    ("number", "needs", "said"),
    [
        (1, 0, "did not start: t0 (stopped after failure of a)"),
        (5, 5, "did not start: t0, t1, t2, t3, t4 (dependency failed: a)"),
        (3, 2, "did not start: t0, t1 (dependency failed: a); t2 (stopped after failure of a)"),
        (6, 0, "6 tasks did not start: stopped after failure of a"),
        (9, 2, "9 tasks did not start: 7 stopped after failure of a; 2 dependency failed: a"),
    ],
)
def test_few_are_named_and_many_are_counted(
    project: Project, way: tuple[str, ...], number: int, needs: int, said: str
) -> None:
    write(project, number, needs=needs)
    result = run(project, way)
    assert result.status == 1
    lines = result.stderr.splitlines()
    assert lines[0].startswith("✗ a ")
    assert lines[1:3] == [f"- {said}", ""]
    assert sum("t0" in line for line in lines) == (number <= 5)
    ended = statuses(read_records(project.folder)[-1])
    assert [*ended.values()].count("skipped") == number


@WAYS
def test_the_most_frequent_reasons_are_said(project: Project, way: tuple[str, ...]) -> None:
    text = "name = 'app'\n"
    for failing, number in {"a": 1, "b": 2, "c": 1, "d": 3, "e": 4}.items():
        text += f"[tasks.{failing}]\nrun = 'false'\n"
        for n in range(number):
            text += f"[tasks.{failing}{n}]\ndepends-on = ['{failing}']\nrun = 'true'\n"
    names = ["a0", "b0", "b1", "c0", "d0", "d1", "d2", "e0", "e1", "e2", "e3"]
    project.write("pipeline.toml", f"{text}[jobs.all]\ntarget = {names}\n")
    result = run(project, way, "--continue=dependencies-successful")
    assert (
        "- 11 tasks did not start: 4 dependency failed: e; 3 dependency failed: d; "
        "2 dependency failed: b; 2 for other reasons\n"
    ) in result.stderr


@WAYS
def test_an_interrupt_of_many_leaves_what_ran_on_the_screen(
    project: Project, way: tuple[str, ...]
) -> None:
    write(project, 1000, first="echo ready > said; cat gate")
    os.mkfifo(project.folder / "gate")
    os.mkfifo(project.folder / "said")
    process = project.start("run", "all", *way, "--concurrency", "1")
    (project.folder / "said").read_bytes()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    shown = project.plain(err).splitlines()
    assert [line for line in shown if line.startswith(("!", "-"))] == [
        "! a <time>  interrupted",
        "- 1000 tasks did not start: interrupted",
    ]
    assert "1001 tasks in <time>: 1 cancelled, 1000 skipped, SIGINT" in shown
    ended = statuses(read_records(project.folder)[-1])
    assert [*ended.values()].count("skipped") == 1000


def test_github_mode_says_it_once_as_well(project: Project) -> None:
    write(project, 6)
    result = project.pipec("run", "all", "--concurrency", "1", env={"GITHUB_ACTIONS": "true"})
    said = [line for line in result.stderr.splitlines() if "did not start" in line]
    assert said == ["- 6 tasks did not start: stopped after failure of a"]
    assert "t0" not in result.stderr


@WAYS
def test_quiet_says_nothing_of_them(project: Project, way: tuple[str, ...]) -> None:
    write(project, 6)
    assert "did not start" not in run(project, way, "-q").stderr
