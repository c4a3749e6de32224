"""`pipec watch`: run jobs and tasks again as their inputs change."""

from typing import Annotated, Literal

import typer

from pipec.cli.names import complete_jobs_and_tasks
from pipec.cli.options import RunOptions
from pipec.cli.parameters import (
    Approve,
    Concurrency,
    Environment,
    RunLogs,
    command_app,
    examples,
    invocation_of,
)

app = command_app()


@app.command(
    epilog=examples(
        "pipec watch test",
        "pipec watch dev               services stay up, and start again when they change",
        "pipec watch lint test --format jsonl",
        "pipec watch test --poll       on a file system that tells of no changes",
    )
)
def watch(
    context: typer.Context,
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="JOB|TASK...",
            help="Jobs and tasks to run.",
            autocompletion=complete_jobs_and_tasks,
        ),
    ],
    *,
    concurrency: Concurrency = "auto",
    format: Annotated[  # noqa: A002
        Literal["text", "jsonl"],
        typer.Option("--format", help="Text for people; each event as a line of JSON."),
    ] = "text",
    output_logs: RunLogs = None,
    environment: Environment = "",
    approve: Approve = None,
    poll: Annotated[
        bool, typer.Option("--poll", help="Look for changes every second; do not listen.")
    ] = False,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="The value of a parameter of the job."),
    ] = None,
) -> int:
    """Run jobs and tasks, and again whenever their inputs change.

    A task runs again only if what decides about it has changed: to save a file as it was runs
    nothing.
    A task that runs while its inputs change is ended and started again. Services stay up.
    """
    from pipec.cli.watch import watch as watch_targets

    options = RunOptions(
        targets=tuple(targets),
        concurrency=concurrency,
        format=format,
        output_logs=output_logs,
        params=tuple(param or ()),
        environment=environment,
        approvals=tuple(approve or ()),
    )
    return watch_targets(invocation_of(context), options, poll=poll)
