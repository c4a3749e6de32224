"""`pipec why`: why a task ran, or what would make it run."""

from typing import Annotated

import typer

from pipec.cli.documents import print_document
from pipec.cli.names import complete_tasks
from pipec.cli.options import UsageError
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.report.why import render_why
from pipec.cli.why import Explainer
from pipec.runtime.visible import visible

app = command_app()


@app.command(
    epilog=examples(
        "pipec why build                why it ran, or did not, when it was last asked for",
        "pipec why build --run latest   the same, in one certain run",
        "pipec why build --now          what would make it run now",
        "pipec why build --diff         and the lines that changed",
    )
)
def why(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task.", autocompletion=complete_tasks)
    ],
    *,
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="A run: its id, its beginning, or `latest`.")
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Look at the files as they are now, not at a run.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Also print the lines of each file that changed.")
    ] = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Say why a task ran, or why it did not.

    Names the part of its key that changed, the files, the patterns that make them inputs, and the
    commits that changed them. Without a recorded run it says what differs from the last success.
    """
    invocation = invocation_of(context)
    if now and run is not None:
        raise UsageError(
            "`--run` and `--now` do not go together",
            help=(f"`pipec why {visible(task)} --now` looks at the files, without a run",),
        )
    document = Explainer(invocation).explain(task, run=run, now=now)
    if format == "json":
        print_document(invocation.console, document)
    else:
        invocation.console.data(render_why(document, with_lines=diff))
