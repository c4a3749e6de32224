"""`pipec github plan`: what an event would run."""

from typing import Annotated, Literal

import typer

from pipec.backends.github.event import Event
from pipec.backends.github.selection import judge
from pipec.backends.github.subject import Subject
from pipec.cli.documents import print_document
from pipec.cli.github_documents import (
    GithubPlanDocument,
    PlannedEvent,
    PlannedJob,
    PlannedPermission,
)
from pipec.cli.github_event import (
    Action,
    Base,
    Changed,
    Cron,
    EventName,
    EventOptions,
    Ref,
    read_event,
)
from pipec.cli.github_subject import open_subject
from pipec.cli.parameters import examples, invocation_of
from pipec.ir.job import Job


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        name="plan",
        epilog=examples(
            "pipec github plan --event push --ref refs/heads/main",
            "pipec github plan --event pull_request --base main --changed docs/index.md",
            "pipec github plan --event workflow_dispatch --job deploy --format json",
        ),
    )(plan_event)


def plan_event(
    context: typer.Context,
    *,
    event: EventName = None,
    ref: Ref = None,
    base: Base = None,
    type: Action = None,  # noqa: A002
    cron: Cron = None,
    changed: Changed = None,
    job: Annotated[
        str | None, typer.Option(metavar="JOB", help="The job that is chosen by hand.")
    ] = None,
    format: Annotated[  # noqa: A002
        Literal["text", "json", "outputs"],
        typer.Option("--format", help="For people, for programs, for the outputs of a step."),
    ] = "text",
) -> None:
    """Say which jobs an event starts, and with which rights. Runs nothing."""
    invocation = invocation_of(context)
    _, _, subject = open_subject(invocation)
    options = EventOptions(
        name=event, ref=ref, base=base, action=type, cron=cron, changed=changed, selected=job
    )
    happened = read_event(invocation, subject, options)
    document = describe_plan(subject, happened)
    if format == "json":
        print_document(invocation.console, document)
    elif format == "outputs":
        lines = [f"{item.id}={str(item.runs).lower()}\n" for item in document.jobs]
        invocation.console.data("".join(lines))
    else:
        invocation.console.data(render_plan(document))


def describe_plan(subject: Subject, event: Event) -> GithubPlanDocument:
    """The plan as data.

    Raises:
        PlanError: the job that is chosen by hand cannot be.
    """
    verdicts = judge(subject, event)
    return GithubPlanDocument(
        event=PlannedEvent(
            name=event.name,
            ref=event.ref or None,
            base=event.base or None,
            action=event.action or None,
            cron=event.cron or None,
            job=event.selected or None,
            changed=event.paths,
        ),
        jobs=tuple(
            _describe(subject, job, runs=verdicts[job.id].runs, reason=verdicts[job.id].reason)
            for job in subject.pipeline.jobs.values()
        ),
    )


def render_plan(document: GithubPlanDocument) -> str:
    """The jobs that run, each with its rights; then those that do not."""
    lines = []
    width = max((len(job.id) for job in document.jobs), default=0)
    for job in sorted(document.jobs, key=lambda job: not job.runs):
        mark = "runs " if job.runs else "skips"
        lines.append(f"{mark}  {job.id:<{width}}  {job.reason}")
        if job.runs:
            lines += [f"       {' ' * width}  {line}" for line in _rights(job)]
    return "".join(f"{line}\n" for line in lines)


def _rights(job: PlannedJob) -> list[str]:
    runners = " | ".join(", ".join(labels) for labels in job.runs_on)
    granted = ", ".join(f"{item.scope}: {item.level}" for item in job.permissions)
    lines = [f"on {runners}; {granted}"]
    if job.secrets:
        lines.append(f"secrets: {', '.join(job.secrets)}")
    if job.environment:
        lines.append(f"environment: {job.environment}")
    return lines


def _describe(subject: Subject, job: Job, *, runs: bool, reason: str) -> PlannedJob:
    needed = subject.needed[job.id]
    return PlannedJob(
        id=job.id,
        runs=runs,
        reason=reason,
        targets=tuple(job.targets),
        needs=tuple(job.needs),
        runs_on=job.github.runs_on_matrix or (subject.runs_on(job),),
        timeout_minutes=subject.timeout_minutes(job),
        permissions=tuple(
            PlannedPermission(scope=scope, level=level)
            for scope, level in subject.permissions(job).items()
        ),
        secrets=needed.secrets,
        variables=needed.variables,
        environment=job.environment.name if job.environment else None,
    )
