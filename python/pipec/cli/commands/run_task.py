"""`pipec run-task`: run one task."""

from typing import Annotated

import typer

from pipec.cli.names import complete_tasks
from pipec.cli.options import RunOptions
from pipec.cli.parameters import (
    Approve,
    Concurrency,
    Continue,
    Dry,
    Environment,
    Force,
    LogOrder,
    Only,
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
        "pipec run-task build",
        "pipec run-task 'test[python=3.11]'",
        "pipec run-task test -- -k one  with arguments for its last command",
    )
)
def run_task(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task to run.", autocompletion=complete_tasks)
    ],
    *,
    concurrency: Concurrency = "auto",
    force: Force = False,
    dry: Dry = False,
    only: Only = False,
    continue_mode: Continue = "never",
    timeout: Timeout = "",
    environment: Environment = "",
    approve: Approve = None,
    wait: Wait = False,
    format: RunFormat = "text",  # noqa: A002
    output_logs: RunLogs = None,
    log_order: LogOrder = "grouped",
) -> int:
    """Run one task, and what it depends on.

    The same as `run`, except that the name is never that of a job.
    """
    from pipec.cli.run import run as run_targets

    options = RunOptions(
        targets=(task,),
        is_task=True,
        concurrency=concurrency,
        force=force,
        dry=dry,
        wait=wait,
        format=format,
        output_logs=output_logs,
        log_order=log_order,
        only=only,
        continue_mode=continue_mode,
        timeout=timeout,
        environment=environment,
        approvals=tuple(approve or ()),
        arguments=arguments_of(context),
    )
    return run_targets(invocation_of(context), options)
