"""`pipec key`: the key under which a task's result is kept."""

from typing import Annotated

import typer

from pipec.cli.documents import ComponentDigest, KeyDocument, print_document
from pipec.cli.looking import Look, look_at
from pipec.cli.names import complete_tasks
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.codes import Code
from pipec.errors import PlanError
from pipec.runtime.visible import visible

app = command_app()


@app.command(epilog=examples("pipec key build", "pipec key build --explain"))
def key(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task.", autocompletion=complete_tasks)
    ],
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print every component with its own digest.")
    ] = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Print the key of a task as things are now. Two equal keys mean equal work."""
    invocation = invocation_of(context)
    document = describe(look_at(invocation, task))
    if format == "json":
        print_document(invocation.console, document)
        return
    invocation.console.data(f"{document.key}\n")
    if explain:
        width = max((len(component.name) for component in document.components), default=0)
        for component in document.components:
            invocation.console.data(f"  {component.name:<{width}}  {component.digest}\n")
            for value in document.values if component.name == "values" else ():
                invocation.console.data(f"  · {visible(value.name)}  {value.digest}\n")


def describe(look: Look) -> KeyDocument:
    """The task's key and what it is made of.

    Raises:
        PlanError: the key depends on what something else will produce.
    """
    decision = look.decisions.get(look.task)
    if decision is None or not decision.get("key"):
        raise PlanError(
            Code.KEY_NOT_KNOWN,
            f"the key of `{look.task}` depends on results that are not there yet",
            help=(f"`pipec run-task {look.task}` produces them",),
        )
    return KeyDocument(
        task=look.task,
        key=decision["key"],
        components=tuple(
            ComponentDigest(name=name, digest=digest) for name, digest in decision["components"]
        ),
        values=tuple(
            ComponentDigest(name=name, digest=digest)
            for name, digest in decision.get("values") or ()
        ),
    )
