"""`pipec graph`: what waits for what."""

from typing import Annotated, Literal

import typer

from pipec.cli.documents import print_document
from pipec.cli.names import complete_jobs_and_tasks
from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.plan.graph import graph_of, render_dot, render_tree
from pipec.plan.select import everything, select

app = command_app()


@app.command(
    epilog=examples(
        "pipec graph                    the whole pipeline",
        "pipec graph verify             one job and what it runs",
        "pipec graph --format dot | dot -Tsvg > graph.svg",
    )
)
def graph(
    context: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[JOB|TASK...]",
            help="What to draw; everything if left out.",
            autocompletion=complete_jobs_and_tasks,
        ),
    ] = None,
    *,
    format: Annotated[  # noqa: A002
        Literal["text", "json", "dot"],
        typer.Option("--format", help="A tree, JSON, or the language of Graphviz."),
    ] = "text",
) -> None:
    """Draw jobs and tasks, and below each what it needs."""
    invocation = invocation_of(context)
    _, pipeline = invocation.load()
    plan = select(pipeline, targets) if targets else everything(pipeline)
    if format == "text":
        invocation.console.data(render_tree(pipeline, plan))
    elif format == "json":
        print_document(invocation.console, graph_of(pipeline, plan))
    else:
        invocation.console.data(render_dot(pipeline, plan))
