"""Steps: the actions of a task, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipec.ir.env import EnvValue, Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOptions:
    """What every step that starts a process can say. `cwd` is relative to the pipeline's folder."""

    name: str = ""
    cwd: str = ""
    env: Mapping[str, EnvValue] = field(default_factory=dict)
    timeout_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellStep(StepOptions):
    """A command for a shell. `shell` is the shell's argv up to the command; empty: the task's."""

    command: str
    shell: tuple[str, ...] = ()
    kind: Literal["shell"] = "shell"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgvStep(StepOptions):
    """A program with its arguments, no shell."""

    argv: tuple[str, ...]
    kind: Literal["argv"] = "argv"


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonStep:
    """A Python function `module:function`: `dynamic` returns steps, `call` does the work."""

    kind: Literal["dynamic", "call"]
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    timeout_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStep:
    """A prompt for an agent's command line."""

    agent: str | Variable
    prompt: str = ""
    prompt_file: str = ""
    model: str | Variable = ""
    stdout_to: str = ""
    name: str = ""
    kind: Literal["agent"] = "agent"
    timeout_ms: int | None = None


Step = ShellStep | ArgvStep | PythonStep | AgentStep


def step_text(step: Step) -> str:
    """The step as a person would type it, or name it."""
    if isinstance(step, ShellStep):
        return step.command
    if isinstance(step, ArgvStep):
        import shlex

        return shlex.join(step.argv)
    if isinstance(step, PythonStep):
        return f"{step.kind} {step.function}"
    return f"agent {step.agent if isinstance(step.agent, str) else step.agent.var}"
