"""Steps and shells in their normal form."""

from collections.abc import Sequence
from typing import Any

from pipec.frontend.lower.env import lower_env
from pipec.ir.env import Variable
from pipec.ir.shell import SHELLS
from pipec.ir.step import AgentStep, ArgvStep, PythonStep, ShellStep, Step
from pipec.spec.step import (
    AgentStepSpec,
    ArgvStepSpec,
    CallStepSpec,
    DynamicStepSpec,
    SelectedText,
    ShellStepSpec,
)
from pipec.spec.task import TaskSpec

StepSpec = str | ShellStepSpec | ArgvStepSpec | DynamicStepSpec | CallStepSpec | AgentStepSpec


def lower_shell(written: str | Sequence[str]) -> tuple[str, ...]:
    """The shell's arguments up to the command."""
    return SHELLS[written] if isinstance(written, str) else tuple(written)


def lower_steps(task: TaskSpec) -> tuple[Step, ...]:
    """The steps of a task, however they are spelled."""
    written: Any = task.run if task.steps is None else task.steps
    if written is None:
        return ()
    steps = written if isinstance(written, list) else [written]
    return tuple(lower_step(step) for step in steps)


def lower_step(step: StepSpec) -> Step:
    """One step, with every default filled in."""
    if isinstance(step, str):
        return ShellStep(command=step)
    name = step.name or ""
    if isinstance(step, ShellStepSpec):
        return ShellStep(
            command=step.sh,
            shell=() if step.shell is None else lower_shell(step.shell),
            name=name,
            cwd=step.cwd or "",
            env=lower_env(step.env),
            timeout_ms=step.timeout,
        )
    if isinstance(step, ArgvStepSpec):
        return ArgvStep(
            argv=tuple(step.argv),
            name=name,
            cwd=step.cwd or "",
            env=lower_env(step.env),
            timeout_ms=step.timeout,
        )
    if isinstance(step, AgentStepSpec):
        return AgentStep(
            agent=lower_text(step.agent),
            prompt=step.prompt or "",
            prompt_file=step.prompt_file or "",
            model="" if step.model is None else lower_text(step.model),
            stdout_to=step.stdout_to or "",
            name=name,
            timeout_ms=step.timeout,
        )
    is_dynamic = isinstance(step, DynamicStepSpec)
    return PythonStep(
        kind="dynamic" if is_dynamic else "call",
        function=step.dynamic if isinstance(step, DynamicStepSpec) else step.call,
        arguments=step.with_,
        name=name,
        timeout_ms=step.timeout,
    )


def lower_text(text: str | SelectedText) -> str | Variable:
    """A text, or the variable of the host that decides it."""
    return text if isinstance(text, str) else Variable(var=text.var, default=text.default)
