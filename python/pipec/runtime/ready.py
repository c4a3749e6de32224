"""The steps of a task with all that had to be found out about them, and what its key has of it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.codec import plain
from pipec.ir.commands import CommandPolicy
from pipec.ir.inputs import CommandInput
from pipec.ir.step import AgentStep, ArgvStep, PythonStep, ShellStep, step_text
from pipec.ir.task import Task
from pipec.runtime.inputs import Extra
from pipec.runtime.request import RunRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipec.runtime.agents import AgentCall
    from pipec.runtime.policy.rulings import Policy, Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyStep:
    """A step that can be started. `number`: of the step in the task that it comes from.

    `env` is what a `dynamic` function adds to the environment. `agent`: of an agent step. `ruling`:
    of the policy on command lines, if there is one.
    """

    number: int
    step: ShellStep | ArgvStep | PythonStep | AgentStep
    env: Mapping[str, str] = field(default_factory=dict)
    agent: "AgentCall | None" = None
    ruling: "Ruling | None" = None


Returned = Mapping[int, Sequence[Mapping[str, Any]]]
"""By the number of a `dynamic` step, what its function returned."""


def is_plain(request: RunRequest, task: Task) -> bool:
    """Whether every step is a command that is written down, and none can be forbidden."""
    if request.pipeline.commands != CommandPolicy() and task.steps:
        return False
    return all(isinstance(step, (ShellStep, ArgvStep)) for step in task.steps)


def policy_of(request: RunRequest) -> "Policy | None":
    """The policy on command lines, if the pipeline has one."""
    if request.pipeline.commands == CommandPolicy():
        return None
    # Not at the top: most pipelines have none.
    from pipec.runtime.policy.rulings import policy_for

    return policy_for(request.pipeline.commands, request.host_env)


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
        RunError: an agent step does not fit the pipeline, its prompt cannot be read, or the policy
            on command lines forbids a step.
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
    policy = policy_of(request)
    if policy is None:
        return tuple(steps)
    return tuple(replace(ready, ruling=_ruling(policy, task, ready)) for ready in steps)


def mocked_value(request: RunRequest, item: CommandInput) -> str | None:
    """What the policy puts in the place of an input command; None: it runs.

    Raises:
        RunError: the policy forbids it.
    """
    policy = policy_of(request)
    if policy is None:
        return None
    from pipec.ir.shell import SHELLS

    mock = policy.judge_text(item.command, SHELLS["sh"]).mock
    if mock is None:
        return None
    if mock.code:
        message = f"the input command `{item.command}` ended with exit status {mock.code}"
        raise RunError(Code.INPUT_COMMAND_FAILED, message)
    return mock.stdout.rstrip("\r\n")


def check_service(request: RunRequest, task: Task) -> None:
    """Sees to it that a service may start.

    Raises:
        RunError: the policy on command lines forbids it, or would replace it.
    """
    rulings = [ready.ruling for ready in ready_steps(request, task, {})]
    if any(ruling is not None and ruling.mock is not None for ruling in rulings):
        message = f"`{task.id}` is a service, and a rule would replace its command"
        raise RunError(Code.COMMAND_DENIED, message)


def _ruling(policy: "Policy", task: Task, ready: ReadyStep) -> "Ruling | None":
    step = ready.step
    if isinstance(step, ShellStep):
        return policy.judge_text(step.command, step.shell or task.shell)
    if isinstance(step, ArgvStep):
        return policy.judge_argv(step.argv, step_text(step))
    if ready.agent is not None:
        import shlex

        return policy.judge_argv(ready.agent.command, shlex.join(ready.agent.command))
    # A function starts no command line that is written down.
    return None


def key_values(request: RunRequest, steps: Sequence[ReadyStep], returned: Returned) -> list[Extra]:
    """What the steps add to the key besides what is written down: label and value of each."""
    values: list[Extra] = []
    for ready in steps:
        label = f"of step {ready.number + 1}"
        if ready.agent is not None:
            values += [[f"{name} {label}", value] for name, value in ready.agent.identity]
        elif isinstance(ready.step, PythonStep):
            values += code_values(request.root, ready.step)
        if ready.ruling is not None and ready.ruling.mock is not None:
            # What is made without the command is never taken for what the command makes.
            values.append([f"mock {label}", json.dumps(plain(ready.ruling.mock), sort_keys=True)])
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


def code_token(root: str, task: Task) -> str:
    """What the `dynamic` steps of a task come to, as their files are now; empty: it has none."""
    steps = dynamic_steps(task)
    return repr([code_values(root, step) for _, step in steps]) if steps else ""


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
