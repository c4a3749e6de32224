"""`pipec env`: what a task sees in its environment, value by value."""

import dataclasses
from collections.abc import Iterator
from typing import Annotated

import typer

from pipec.cli.documents import EnvDocument, print_document
from pipec.cli.invocation import Invocation
from pipec.cli.names import complete_tasks
from pipec.cli.options import RunOptions, UsageError
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.report.words import plural
from pipec.cli.run import open_request
from pipec.plan.select import Plan, select
from pipec.runtime.provenance import HostPart, SourcedValue, TaskEnvironment, trace_environment
from pipec.runtime.request import RunRequest
from pipec.runtime.visible import visible

app = command_app()

_ROW = "  {:<{}}  {:<{}}  {}"
_WIDEST = len("(set for each attempt)")


@app.command(epilog=examples("pipec env build", "pipec env build --job release --format json"))
def env(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task.", autocompletion=complete_tasks)
    ],
    *,
    job: Annotated[str | None, typer.Option(metavar="JOB", help="As in a run of this job.")] = None,
    format: Format = "text",  # noqa: A002
) -> None:
    """Print the environment of a task, each value with its source.

    Secrets are masked. What is missing is said and is no failure: nothing runs.
    """
    invocation = invocation_of(context)
    request = request_for(invocation, task, job)
    traced = tuple(
        trace_environment(request, request.pipeline.tasks[name]) for name in request.plan.targets
    )
    if format == "json":
        print_document(invocation.console, EnvDocument(tasks=traced))
    else:
        invocation.console.data("\n".join(map(render, traced)))


def request_for(invocation: Invocation, task: str, job: str | None) -> RunRequest:
    """The request for the task, within a run of the job.

    Raises:
        UsageError: the job does not run the task.
    """
    request = open_request(invocation, RunOptions(targets=(task,), is_task=True))
    if job is None:
        return request
    of_job = select(request.pipeline, [job], kind="job")
    missing = [name for name in request.plan.targets if name not in of_job.tasks]
    if missing:
        raise UsageError(
            f"the job `{job}` does not run `{missing[0]}`",
            help=(f"`pipec show {missing[0]}` names the jobs that do",),
        )
    plan = Plan(tasks=request.plan.tasks, jobs=of_job.jobs, targets=request.plan.targets)
    return dataclasses.replace(request, plan=plan)


def render(traced: TaskEnvironment) -> str:
    """The environment as a page of text: variables, those of steps, then the host's."""
    lines = [traced.task if traced.job is None else f"{traced.task} in {traced.job}"]
    lines += _rows(traced.variables)
    for step in traced.steps:
        lines += [f"step {step.step}", *_rows(step.variables)]
    lines += ["host", *(f"  {line}" for line in _host(traced.host))]
    lines += [
        f"  {name}: {'set' if is_set else 'missing'}, required by the task"
        for name, is_set in traced.required_secrets.items()
    ]
    if traced.problems:
        lines += ["missing", *(f"  {visible(problem)}" for problem in traced.problems)]
    return "\n".join(lines) + "\n"


def _rows(variables: tuple[SourcedValue, ...]) -> Iterator[str]:
    values = {variable.name: _value(variable) for variable in variables}
    names = max((len(name) for name in values), default=0)
    # One long value must not push all sources out of sight.
    width = max((len(value) for value in values.values() if len(value) <= _WIDEST), default=0)
    for variable in variables:
        yield _ROW.format(
            variable.name, names, values[variable.name], width, source_words(variable)
        ).rstrip()


def _value(variable: SourcedValue) -> str:
    if variable.value is not None:
        return visible(variable.value)
    return "(missing)" if variable.is_missing else f"({variable.note})"


def source_words(variable: SourcedValue) -> str:
    """Where a value comes from, for a person."""
    words = variable.level.replace("-", " ")
    if variable.file is not None:
        words += f" {visible(variable.file)}"
    words += {
        "literal": "",
        "variable": f": variable {variable.declared_as}",
        "default": f": default, as {variable.declared_as} is not set",
        "secret": f": secret {variable.declared_as}",
        "param": ": parameter",
        "matrix": ": matrix",
        "fact": "",
    }[variable.kind]
    if variable.found_as is not None and variable.found_as != variable.declared_as:
        words += f", found as {variable.found_as}"
    if variable.is_mapped:
        words += ", through its map"
    hidden = [level.replace("-", " ") for level in variable.hides]
    return f"{words}, over that of the {' and the '.join(hidden)}" if hidden else words


def _host(host: HostPart) -> Iterator[str]:
    if host.mode == "strict":
        yield f"strict: only {', '.join(map(visible, host.passes)) or 'nothing'}"
        yield f"{plural(len(host.withheld), 'other variable')} withheld"
    else:
        yield f"loose: all {plural(len(host.passes), 'variable')} of the host"
        if host.withheld:
            yield f"but {', '.join(map(visible, host.withheld))}"
