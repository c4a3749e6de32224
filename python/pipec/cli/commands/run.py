"""`pipec run`: run jobs and tasks."""

from typing import Annotated

import typer

from pipec.cli.names import complete_jobs_and_tasks
from pipec.cli.options import RunOptions
from pipec.cli.parameters import (
    Concurrency,
    Dry,
    Force,
    LogOrder,
    RunFormat,
    RunLogs,
    Wait,
    command_app,
    examples,
    invocation_of,
)

app = command_app()


@app.command(
    epilog=examples(
        "pipec run verify",
        "pipec verify                   the same",
        "pipec run lint test --concurrency 50%",
        "pipec run build --force        even if nothing changed",
        "pipec run build --dry          only say what would run",
        "pipec run release --param version=1.2.0",
    )
)
def run(
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
    force: Force = False,
    dry: Dry = False,
    wait: Wait = False,
    format: RunFormat = "text",  # noqa: A002
    output_logs: RunLogs = None,
    log_order: LogOrder = "grouped",
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="The value of a parameter of the job."),
    ] = None,
) -> int:
    """Run jobs and tasks, and what they depend on.

    A cached task runs only if something that decides about it has changed since it last passed.
    """
    from pipec.cli.run import run as run_targets

    options = RunOptions(
        targets=tuple(targets),
        concurrency=concurrency,
        force=force,
        dry=dry,
        wait=wait,
        format=format,
        output_logs=output_logs,
        log_order=log_order,
        params=tuple(param or ()),
    )
    return run_targets(invocation_of(context), options)
