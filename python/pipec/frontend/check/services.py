"""Rules on services: what is kept running has to be one thing that stays."""

from collections.abc import Iterator

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.check.checked import Checked
from pipec.ir.step import ArgvStep, ShellStep
from pipec.ir.task import Task


def services_that_do_not_stay(checked: Checked) -> Iterator[Finding]:
    """A service has other than one command, a time limit for it, or outputs from its defaults."""
    for task, origin in checked.all_written:
        if task.service is None:
            continue
        if task.outputs:
            message = f"the service `{task.id}` has outputs, and nobody waits for its end"
            yield _unsuitable(message, origin.of("outputs"), "own the files by a task before it")
        if len(task.steps) != 1:
            count = f"{len(task.steps)} steps" if task.steps else "no step"
            message = f"the service `{task.id}` has {count}: a service is one command that stays"
            advice = "make what comes before it a task of its own, and let the service depend on it"
            yield _unsuitable(message, origin.of("service"), advice)
        else:
            yield from _of_step(task, origin.of_step(0))


def _of_step(task: Task, route: Route) -> Iterator[Finding]:
    (step,) = task.steps
    if not isinstance(step, (ShellStep, ArgvStep)):
        message = f"the service `{task.id}` has a step of the kind `{step.kind}`"
        yield _unsuitable(message, route, "a service is a command or a program")
    elif step.timeout_ms is not None:
        message = f"the service `{task.id}` has a step with a timeout, and is to stay"
        yield _unsuitable(message, route, "`ready-timeout` of the service is for its start")


def _unsuitable(message: str, route: Route, advice: str) -> Finding:
    return Finding(Code.SERVICE_UNSUITABLE, message, (Label(route),), (advice,))
