"""`pipec plan`: what a run would do; the same as `pipec run --dry`."""

from typing import Annotated

import typer

from pipec.cli.names import complete_jobs_and_tasks
from pipec.cli.options import RunOptions, UsageError
from pipec.cli.parameters import (
    Filter,
    Force,
    Format,
    Only,
    Param,
    arguments_of,
    command_app,
    examples,
    invocation_of,
)

app = command_app()


@app.command(
    epilog=examples(
        "pipec plan verify",
        "pipec plan lint test --format json",
        "pipec plan verify --filter '...lint'  only lint and what needs it",
    )
)
def plan(
    context: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB|TASK...",
            help="Jobs and tasks that would be run.",
            autocompletion=complete_jobs_and_tasks,
        ),
    ] = None,
    *,
    force: Force = False,
    only: Only = False,
    filter: Filter = None,  # noqa: A002
    param: Param = None,
    format: Format = "text",  # noqa: A002
) -> int:
    """Say what a run would do, task by task, and run nothing. Short for `pipec run --dry`.

    What nobody can know before something else has run is said to be so.
    """
    from pipec.cli.run import run

    if not targets and not filter:
        raise UsageError(
            "there is nothing to plan",
            help=("name a job or a task; `pipec list` shows all of them",),
        )
    options = RunOptions(
        targets=tuple(targets or ()),
        dry=True,
        force=force,
        only=only,
        filters=tuple(filter or ()),
        params=tuple(param or ()),
        format=format,
        arguments=arguments_of(context),
    )
    return run(invocation_of(context), options)
