"""One task by itself, with all that it depends on in place: for `audit` and `verify --twice`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pipec._core import Engine
from pipec.cli.invocation import Invocation
from pipec.cli.looking import single_target
from pipec.cli.options import RunOptions
from pipec.cli.patterns import deciding_patterns
from pipec.cli.report.plain import PlainReporter
from pipec.cli.run import open_request
from pipec.cli.trouble import reading_inputs
from pipec.clock import SystemClock
from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.task import Task
from pipec.plan.select import Plan, reachable, topological_order
from pipec.plan.services import services_of
from pipec.runtime import environment
from pipec.runtime.assess import open_engine
from pipec.runtime.lock import take
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.requirements import check_requirements
from pipec.runtime.run import run as run_plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A task that could run now. `engine` knows its inputs and its environment."""

    request: RunRequest
    task: Task
    engine: Engine


@contextmanager
def in_place(invocation: Invocation, name: str, *, action: str) -> Iterator[Alone]:
    """Runs what the task depends on, then holds the project's lock for `action`.

    Raises:
        PlanError: the name means no task, or several.
        RunError: something that the task depends on failed, or a tool is missing.
        SpecError: the pipeline is wrong, or secrets are missing.
    """
    request = open_request(invocation, RunOptions(targets=(name,), is_task=True))
    task = request.pipeline.tasks[single_target(request, name)]
    _refuse_services(request, task)
    _run_needs(invocation, request, task)
    now_ms = SystemClock().now_ms()
    with take(request.root, run_id="", now_ms=now_ms, action=action):
        with reading_inputs():
            engine = open_engine(request, Services(), run_id="")
            declared = {key: value for key, value, _ in engine.environment(task.id)}
        seen = {**environment.host_part(task, request.host_env), **declared}
        check_requirements(task, seen, f"{request.root}/{task.cwd}")
        yield Alone(request=request, task=task, engine=engine)


def shown_rules(alone: Alone) -> dict[str, str]:
    """Each input file of the task with the pattern that selects it."""
    with reading_inputs():
        files = alone.engine.input_files(alone.task.id)
    # A name that is no text can be read, but no pattern can be shown for it.
    paths = [path.decode("utf-8", "surrogateescape") for path, digest in files if digest]
    texts = [path for path in paths if path.isprintable()]
    patterns = deciding_patterns(alone.request.pipeline, alone.task, texts)
    return {path: patterns.get(path, path) for path in paths}


def _refuse_services(request: RunRequest, task: Task) -> None:
    needed = services_of(request.pipeline, task)
    if needed:
        message = f"`{task.id}` needs the service `{needed[0]}`, which is only up in a run"
        help_ = (f"`pipec run-task {task.id}` runs it together with its service",)
        raise RunError(Code.NOT_SUPPORTED, message, help=help_)
    if task.service is not None:
        raise RunError(
            Code.NOT_SUPPORTED,
            f"`{task.id}` is a service, which does not end by itself",
            help=("name a task that ends: `pipec list` shows every task",),
        )


def _run_needs(invocation: Invocation, request: RunRequest, task: Task) -> None:
    if not task.depends_on:
        return
    order = topological_order(request.pipeline, reachable(request.pipeline, task.depends_on))
    plan = Plan(tasks=order, targets=task.depends_on)
    listener = PlainReporter(
        invocation.console, tasks=order, output_logs="errors-only", cwd=invocation.cwd
    )
    record = run_plan(replace(request, plan=plan), Services(listeners=(listener,), screen=listener))
    if record.exit_code:
        raise RunError(
            Code.STEP_FAILED,
            f"what `{task.id}` depends on did not pass",
            help=("`pipec explain --run latest` says what failed",),
        )
