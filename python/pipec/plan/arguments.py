"""`-- ARGUMENTS`: words that are appended to the last command of each task that was asked for.

They are quoted for the shell that gets them, and become part of the command: so they enter the key.
"""

import dataclasses
import ntpath
import shlex
from collections.abc import Iterable, Sequence

from pipec.codes import Code
from pipec.errors import PlanError
from pipec.ir.pipeline import Pipeline
from pipec.ir.step import ArgvStep, ShellStep, Step
from pipec.ir.task import Task, TaskId

_POWERSHELLS = ("pwsh", "powershell")
_BLANK = " \t\r\n"


def with_arguments(
    pipeline: Pipeline, tasks: Iterable[TaskId], arguments: Sequence[str]
) -> Pipeline:
    """The pipeline in which the last command of these tasks has the arguments behind it.

    Raises:
        PlanError: a task has no command that could take them.
    """
    changed = {task: _with_arguments(pipeline.tasks[task], tuple(arguments)) for task in tasks}
    return dataclasses.replace(pipeline, tasks={**pipeline.tasks, **changed})


def _with_arguments(task: Task, arguments: tuple[str, ...]) -> Task:
    if not task.steps:
        raise PlanError(
            Code.USAGE,
            f"`{task.id}` runs no command that could take arguments",
            help=("name the task that takes what stands behind `--`",),
        )
    *before, last = task.steps
    return dataclasses.replace(task, steps=(*before, _appended(task, last, arguments)))


def _appended(task: Task, step: Step, arguments: tuple[str, ...]) -> Step:
    if isinstance(step, ArgvStep):
        return dataclasses.replace(step, argv=(*step.argv, *arguments))
    if isinstance(step, ShellStep):
        words = _quoted(step.shell or task.shell, arguments)
        return dataclasses.replace(step, command=f"{step.command.rstrip(_BLANK)} {words}")
    raise PlanError(
        Code.USAGE,
        f"the last step of `{task.id}` is no command: it takes no arguments",
        help=("arguments behind `--` go to a shell command or an `argv`",),
    )


def _quoted(shell: Sequence[str], arguments: Sequence[str]) -> str:
    """The words as this shell reads them; without a known name it is one of POSIX."""
    name = ntpath.basename(shell[0]).lower().removesuffix(".exe")
    if name in _POWERSHELLS:
        return " ".join("'" + word.replace("'", "''") + "'" for word in arguments)
    if name == "cmd":
        return " ".join('"' + word.replace('"', '""') + '"' for word in arguments)
    return shlex.join(arguments)
