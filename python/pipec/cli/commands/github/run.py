"""`pipec github run`: runs the jobs that an event starts."""

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from pipec.backends.github.parameters import values_for
from pipec.backends.github.selection import in_order, judge
from pipec.backends.github.subject import Subject
from pipec.backends.github.task_cache import CONTENT, cache_content, cache_folder
from pipec.cli.commands.github.check import tell_runner
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
from pipec.cli.invocation import Invocation
from pipec.cli.options import RunOptions
from pipec.cli.parameters import Concurrency, Dry, Force, OutputLogs, examples, invocation_of
from pipec.cli.report.errors import report_error
from pipec.errors import PipecError

FAILED = 1


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        name="run",
        epilog=examples(
            "pipec github run               in a workflow: what its event starts",
            "pipec github run --job verify  only this one, if the event starts it",
            "pipec github run --event push --ref refs/heads/main --dry",
        ),
    )(run_event)


def run_event(
    context: typer.Context,
    *,
    job: Annotated[
        list[str] | None, typer.Option(metavar="JOB", help="Of the jobs only these.")
    ] = None,
    event: EventName = None,
    ref: Ref = None,
    base: Base = None,
    type: Action = None,  # noqa: A002
    cron: Cron = None,
    changed: Changed = None,
    concurrency: Concurrency = "auto",
    force: Force = False,
    dry: Dry = False,
    output_logs: OutputLogs = "new-only",
) -> int:
    """Run the jobs that an event starts, one after the other.

    In a workflow the runner says what happened. A job waits for those that it needs, if
    they run too. That nothing is started is no failure.
    """
    invocation = invocation_of(context)
    found, _, subject = open_subject(invocation)
    options = EventOptions(name=event, ref=ref, base=base, action=type, cron=cron, changed=changed)
    happened = read_event(invocation, subject, options)
    verdicts = judge(subject, happened, only=tuple(job or ()))
    chosen = [job_id for job_id in in_order(subject.pipeline) if verdicts[job_id].runs]
    if not chosen:
        for job_id in job or ():
            invocation.console.say(f"{job_id} is not run: {verdicts[job_id].reason}")
        invocation.console.say(f"the event `{happened.name}` starts nothing here")
        return 0
    folder = os.path.join(found.root, cache_folder(subject.pipeline.cache) or os.devnull)
    before = cache_content(folder)
    failed: set[str] = set()
    for job_id in chosen:
        needed = failed.intersection(subject.pipeline.jobs[job_id].needs)  # type: ignore[index]
        if needed:
            invocation.console.say(f"{job_id} is not run: it needs {min(needed)}")
            failed.add(job_id)
            continue
        request = RunOptions(
            targets=(job_id,),
            concurrency=concurrency,
            force=force,
            dry=dry,
            output_logs=output_logs,
            params=params_of(subject, job_id, invocation.environ),
        )
        if run_job(invocation, request) != 0:
            failed.add(job_id)
    after = cache_content(folder)
    tell_runner(invocation, CONTENT, "" if after == before else after)
    return FAILED if failed else 0


def params_of(subject: Subject, job_id: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The parameters of a job that the event gives, as they are written for `run`."""
    jobs = subject.manual_jobs
    mine = next((one for one in jobs if one.id == job_id), None)
    if mine is None:
        return ()
    return tuple(f"{name}={value}" for name, value in values_for(mine, jobs, environ).items())


def run_job(invocation: Invocation, request: RunOptions) -> int:
    """Runs one job and gives its exit status; what keeps it from running is told."""
    from pipec.cli.run import run

    try:
        return run(invocation, request)
    except PipecError as error:
        return report_error(error, console=invocation.console, environ=invocation.environ)
