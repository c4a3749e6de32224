"""`pipec run`: run jobs and tasks."""

from typing import Annotated

import typer

from pipec.cli.names import complete_jobs_and_tasks
from pipec.cli.options import RunOptions, UsageError
from pipec.cli.parameters import (
    Approve,
    Concurrency,
    Continue,
    Dry,
    Environment,
    Filter,
    Force,
    LogOrder,
    Only,
    Param,
    RunFormat,
    RunLogs,
    Timeout,
    Wait,
    arguments_of,
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
        "pipec run build --dry          only say what would run: `pipec plan build`",
        "pipec run release --param version=1.2.0",
        "pipec run test --only -- -k one  with arguments for the last command",
        "pipec run verify --filter '...lint'  only lint and what needs it",
        "pipec run verify --continue always --timeout 10m",
        "pipec run release --environment prod --approve release-managers",
    )
)
def run(
    context: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB|TASK...",
            help="Jobs and tasks to run.",
            autocompletion=complete_jobs_and_tasks,
        ),
    ] = None,
    *,
    concurrency: Concurrency = "auto",
    force: Force = False,
    dry: Dry = False,
    only: Only = False,
    filter: Filter = None,  # noqa: A002
    continue_mode: Continue = "never",
    timeout: Timeout = "",
    environment: Environment = "",
    approve: Approve = None,
    wait: Wait = False,
    format: RunFormat = "text",  # noqa: A002
    output_logs: RunLogs = None,
    log_order: LogOrder = "grouped",
    param: Param = None,
) -> int:
    """Run jobs and tasks, and what they depend on.

    A cached task runs only if something that decides about it has changed since it last passed.
    What stands behind `--` is appended to the last command of each task that was asked for.
    """
    from pipec.cli.run import run as run_targets

    if not targets and not filter:
        raise UsageError(
            "there is nothing to run",
            help=("name a job or a task; `pipec list` shows all of them",),
        )
    options = RunOptions(
        targets=tuple(targets or ()),
        concurrency=concurrency,
        force=force,
        dry=dry,
        wait=wait,
        format=format,
        output_logs=output_logs,
        log_order=log_order,
        params=tuple(param or ()),
        only=only,
        filters=tuple(filter or ()),
        continue_mode=continue_mode,
        timeout=timeout,
        environment=environment,
        approvals=tuple(approve or ()),
        arguments=arguments_of(context),
    )
    return run_targets(invocation_of(context), options)
