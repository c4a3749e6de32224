"""The steps of a task with all that had to be found out about them, and what its key has of it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipec.ir.step import AgentStep, ArgvStep, PythonStep, ShellStep
from pipec.ir.task import Task
from pipec.runtime.inputs import Extra
from pipec.runtime.request import RunRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipec.runtime.agents import AgentCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyStep:
    """A step that can be started. `number`: of the step in the task that it comes from.

    `env` is what a `dynamic` function adds to the environment. `agent`: of an agent step.
    """

    number: int
    step: ShellStep | ArgvStep | PythonStep | AgentStep
    env: Mapping[str, str] = field(default_factory=dict)
    agent: "AgentCall | None" = None


Returned = Mapping[int, Sequence[Mapping[str, Any]]]
"""By the number of a `dynamic` step, what its function returned."""


def is_plain(task: Task) -> bool:
    """Whether every step is a command that is written down."""
    return all(isinstance(step, (ShellStep, ArgvStep)) for step in task.steps)


def dynamic_steps(task: Task) -> list[tuple[int, PythonStep]]:
    """The steps whose commands nobody knows before their function has run, with their numbers."""
    return [
        (number, step)
        for number, step in enumerate(task.steps)
        if isinstance(step, PythonStep) and step.kind == "dynamic"
    ]


def ready_steps(request: RunRequest, task: Task, returned: Returned) -> tuple[ReadyStep, ...]:
    """The steps in their order, those of `dynamic` functions in the place of these.

    Raises:
        RunError: an agent step does not fit the pipeline, or its prompt cannot be read.
    """
    steps: list[ReadyStep] = []
    for number, step in enumerate(task.steps):
        if isinstance(step, AgentStep):
            # Not at the top: most tasks ask no agent.
            from pipec.runtime.agents import agent_call

            agent = agent_call(request, step)
            steps.append(ReadyStep(number=number, step=step, agent=agent))
        elif isinstance(step, PythonStep) and step.kind == "dynamic":
            steps += [_returned_step(number, step, one) for one in returned[number]]
        else:
            steps.append(ReadyStep(number=number, step=step))
    return tuple(steps)


def key_values(request: RunRequest, steps: Sequence[ReadyStep], returned: Returned) -> list[Extra]:
    """What the steps add to the key besides what is written down: label and value of each."""
    values: list[Extra] = []
    for ready in steps:
        label = f"of step {ready.number + 1}"
        if ready.agent is not None:
            values += [[f"{name} {label}", value] for name, value in ready.agent.identity]
        elif isinstance(ready.step, PythonStep):
            values += code_values(request.root, ready.step)
    for number, commands in returned.items():
        counted = [{**command, "name": "", "timeout_ms": None} for command in commands]
        text = json.dumps(counted, sort_keys=True, ensure_ascii=False)
        values.append([f"commands of step {number + 1}", without_root(text, request.root)])
    return values


def code_values(root: str, step: PythonStep) -> list[Extra]:
    """The modules of a step by their paths, each with its digest."""
    # Not at the top: it brings Python's parser with it.
    from pipec.runtime.modules import modules_of

    module = step.function.partition(":")[0]
    found = modules_of(root, module)
    return [[f"module {path}", digest] for path, digest in found.items()]


def without_root(text: str, root: str) -> str:
    """The text with the project's folder replaced: the same commands elsewhere are the same.

    Only where the folder is surely meant: what begins or goes on as another path stays as it is.
    """
    # As JSON spells it. No command holds a zero byte, so that nothing is taken for the folder.
    spelled = re.escape(json.dumps(root, ensure_ascii=False)[1:-1])
    return re.sub(rf"(?<![\w./-]){spelled}(?![\w.-])", lambda _: "\0", text)


def _returned_step(number: int, step: PythonStep, returned: Mapping[str, Any]) -> ReadyStep:
    shell = ShellStep(
        command=returned["command"],
        shell=tuple(returned["shell"]),
        name=returned["name"] or step.name,
        cwd=returned["cwd"],
        timeout_ms=returned["timeout_ms"],
    )
    return ReadyStep(number=number, step=shell, env=returned["env"])
