"""Arguments behind `--`: what becomes of the last command of a task."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipec.errors import PlanError
from pipec.ir.pipeline import Pipeline
from pipec.ir.step import ArgvStep, PythonStep, ShellStep, Step
from pipec.ir.task import Task, TaskId
from pipec.plan.arguments import with_arguments

A = TaskId("a")


def last_step(words: list[str], *steps: Step, shell: tuple[str, ...] = ("sh", "-c")) -> Step:
    task = Task(id=A, steps=steps, shell=shell)
    changed = with_arguments(Pipeline(name="app", tasks={A: task}), [A], words)
    assert changed.tasks[A].steps[:-1] == steps[:-1]
    return changed.tasks[A].steps[-1]


@pytest.mark.parametrize(
    ("shell", "command"),
    [
        (("sh", "-e", "-c"), "run 'a b' 'it'\"'\"'s'"),
        (("/bin/bash", "-c"), "run 'a b' 'it'\"'\"'s'"),
        (("pwsh", "-c"), "run 'a b' 'it''s'"),
        (("C:\\Program Files\\PowerShell\\pwsh.exe", "-c"), "run 'a b' 'it''s'"),
        (("cmd", "/c"), 'run "a b" "it\'s"'),
    ],
)
def test_words_are_quoted_for_the_shell_that_reads_them(
    shell: tuple[str, ...], command: str
) -> None:
    step = last_step(
        ["a b", "it's"], ShellStep(command="before"), ShellStep(command="run\n"), shell=shell
    )
    assert step == ShellStep(command=command)
    own = last_step(["a b", "it's"], ShellStep(command="run", shell=shell))
    assert own == ShellStep(command=command, shell=shell)


def test_a_program_without_shell_gets_them_as_they_are() -> None:
    assert last_step(["a b"], ArgvStep(argv=("run",))) == ArgvStep(argv=("run", "a b"))


def test_a_step_that_is_no_command_takes_none() -> None:
    with pytest.raises(PlanError, match="the last step of `a` is no command"):
        last_step(["x"], ShellStep(command="run"), PythonStep(kind="call", function="m:f"))
    with pytest.raises(PlanError, match="`a` runs no command"):
        last_step(["x"])


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_a_shell_reads_back_what_was_given(words: list[str]) -> None:
    step = last_step(words, ShellStep(command="printf '%s\\0'"))
    assert isinstance(step, ShellStep)
    if words:
        printed = subprocess.run(["sh", "-c", step.command], capture_output=True, check=True)
        assert printed.stdout.decode().split("\0")[:-1] == words
