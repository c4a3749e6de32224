"""`pipec show`: one task, every default filled in."""

import json
from collections.abc import Iterator
from typing import Annotated, assert_never

import typer

from pipec.cli.documents import ShowDocument, ShownTask, print_document
from pipec.cli.names import complete_tasks
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.ir import codec
from pipec.ir.env import EnvValue, Literal, Secret, Variable
from pipec.ir.inputs import (
    CommandInput,
    EnvInput,
    FileValueInput,
    InputRules,
    OutputsOfInput,
    StructuredInput,
)
from pipec.ir.pipeline import Pipeline
from pipec.ir.service import ReadyCommand, ReadyHttp, ReadyOutput, ReadyPort, Service
from pipec.ir.step import AgentStep, ArgvStep, PythonStep, ShellStep, Step
from pipec.ir.task import Task, TaskId
from pipec.plan.select import reachable, select
from pipec.runtime.durations import spell_duration
from pipec.runtime.visible import visible

app = command_app()


@app.command(epilog=examples("pipec show build", "pipec show build --format json"))
def show(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task to show.", autocompletion=complete_tasks)
    ],
    *,
    format: Format = "text",  # noqa: A002
) -> None:
    """Show a task as pipec understands it, defaults filled in.

    The name of a task with a matrix shows each of its expansions.
    """
    invocation = invocation_of(context)
    _, pipeline = invocation.load()
    tasks = select(pipeline, [task], kind="task").targets
    if format == "json":
        shown = tuple(describe(pipeline, name) for name in tasks)
        print_document(invocation.console, ShowDocument(tasks=shown))
    else:
        pages = (render(pipeline, pipeline.tasks[name]) for name in tasks)
        invocation.console.data("\n".join(pages))


def describe(pipeline: Pipeline, task: TaskId) -> ShownTask:
    """The task's node in the IR and what refers to it."""
    alone = Pipeline(name=pipeline.name, tasks={task: pipeline.tasks[task]})
    return ShownTask(
        id=task,
        task=json.loads(codec.encode(alone))["tasks"][task],
        dependents=dependents(pipeline, task),
        jobs=jobs_with(pipeline, task),
    )


def dependents(pipeline: Pipeline, task: TaskId) -> tuple[TaskId, ...]:
    """The tasks that wait for this one."""
    return tuple(other.id for other in pipeline.tasks.values() if task in other.depends_on)


def jobs_with(pipeline: Pipeline, task: TaskId) -> tuple[str, ...]:
    """The jobs that run this task."""
    return tuple(
        job.id for job in pipeline.jobs.values() if task in reachable(pipeline, job.targets)
    )


def render(pipeline: Pipeline, task: Task) -> str:
    """The task as a page of text; what is not set is left out."""
    lines: list[str] = [task.id]
    for name, values in _rows(pipeline, task):
        for value in values:
            lines.append(f"  {name:<12}  {visible(value)}")
            name = ""  # noqa: PLW2901 - only the first line of a row has its name
    return "\n".join(lines) + "\n"


def _rows(pipeline: Pipeline, task: Task) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "description", (task.description,) if task.description else ()
    yield "needs", (*task.depends_on, *task.foreign_needs)
    yield "needed by", dependents(pipeline, task.id)
    yield "jobs", jobs_with(pipeline, task.id)
    yield "steps", tuple(_step(step) for step in task.steps)
    yield "inputs", (*_rules(task.inputs), *map(_structured, task.structured_inputs))
    yield (
        "outputs",
        tuple(
            ("!" if pattern.exclude else "")
            + pattern.glob
            + (" (optional)" if pattern.optional else "")
            for pattern in task.outputs
        ),
    )
    yield "cache", (_cache(task),)
    yield "env", tuple(f"{name} = {_value(value)}" for name, value in task.env.items())
    yield "env inputs", task.env_inputs
    yield "env mode", (task.env_mode,) if task.env_mode != "loose" else ()
    yield "folder", (task.cwd,) if task.cwd else ()
    yield (
        "shell",
        (" ".join(task.shell),) if any(isinstance(s, ShellStep) for s in task.steps) else (),
    )
    yield "attempts", (str(task.retry.attempts),) if task.retry.attempts > 1 else ()
    yield "timeout", (spell_duration(task.timeout_ms),) if task.timeout_ms else ()
    yield "tools", task.requires.tools
    yield "secrets", task.requires.secrets
    yield "service", () if task.service is None else tuple(_service(task.service))
    yield "pool", (task.pool,) if task.pool else ()
    yield "priority", (str(task.priority),) if task.priority else ()
    yield "platforms", task.platforms
    yield "matrix", tuple(f"{name} = {value}" for name, value in task.matrix.items())
    flags = {"allow-failure": task.allow_failure, "interactive": task.interactive}
    yield "flags", tuple(name for name, is_set in flags.items() if is_set)


def _rules(rules: InputRules) -> Iterator[str]:
    for rule in rules:
        text = rule.glob if hasattr(rule, "glob") else rule.named
        yield f"!{text}" if rule.exclude else text


def _structured(value: StructuredInput) -> str:
    match value:
        case FileValueInput():
            return f"{value.file}: {value.key}"
        case EnvInput():
            return f"${value.env}"
        case CommandInput():
            return f"$ {value.command}"
        case OutputsOfInput():
            return f"outputs of {value.outputs_of}"
        case _:
            assert_never(value)


def _service(service: Service) -> Iterator[str]:
    match service.ready:
        case None:
            yield "ready at once"
        case ReadyOutput(pattern=pattern):
            yield f"ready when it prints {pattern}"
        case ReadyHttp(http=url):
            yield f"ready when {url} answers"
        case ReadyPort(port=port):
            yield f"ready when port {port} is open"
        case ReadyCommand(command=command):
            yield f"ready when it succeeds: {command}"
    if service.restart != "never":
        yield f"restart {service.restart}, {service.max_restarts} times at most"


def _step(step: Step) -> str:
    match step:
        case ShellStep():
            return step.command
        case ArgvStep():
            return json.dumps(step.argv, ensure_ascii=False)
        case PythonStep():
            return f"{step.kind} {step.function}"
        case AgentStep():
            return f"agent {step.agent}"
        case _:
            assert_never(step)


def _cache(task: Task) -> str:
    if task.cache is None:
        return "no"
    kept = "" if task.cache.ttl_ms is None else f", for {spell_duration(task.cache.ttl_ms)}"
    return f"{task.cache.store}:{task.cache.policy}{kept}"


def _value(value: EnvValue) -> str:
    match value:
        case Literal():
            return value.value
        case Secret():
            return f"secret {value.secret}"
        case Variable():
            default = "" if value.default is None else f", else {value.default}"
            return f"variable {value.var}{default}"
        case _:
            assert_never(value)
