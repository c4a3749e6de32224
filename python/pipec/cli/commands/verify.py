"""`pipec verify --twice`: whether a task makes the same outputs wherever it runs."""

from typing import Annotated

import typer

from pipec.audit.twice import OutputDifference, run_twice
from pipec.cli.alone import in_place
from pipec.cli.documents import VerifyDocument, print_document
from pipec.cli.options import UsageError
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.report.words import plural, size
from pipec.codes import Code
from pipec.runtime.assess import open_engine
from pipec.runtime.request import Services
from pipec.runtime.visible import visible

app = command_app()

DIFFERENT = 1


@app.command(
    epilog=examples(
        "pipec verify --twice build",
        "pipec verify --twice build --format json",
        "pipec verify                   without --twice: runs the job or task `verify`",
    )
)
def verify(
    context: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK", help="The task.")],
    *,
    twice: Annotated[
        bool, typer.Option("--twice", help="Run it twice and compare the outputs.")
    ] = False,
    format: Format = "text",  # noqa: A002
) -> int:
    """Run a task twice, and name the first byte in which its outputs differ.

    Each run has a copy of the project in a folder of another name and depth, another time zone,
    locale and umask, and another number of processors. The project and its cache stay as they are,
    but for what the task depends on, which runs first.
    """
    invocation = invocation_of(context)
    if not twice:
        raise UsageError("`pipec verify TASK` needs `--twice`")
    with in_place(invocation, task, action="verify") as alone:
        request = alone.request
        found = run_twice(
            request, alone.task, lambda _: open_engine(request, Services(), run_id="")
        )
    document = VerifyDocument(
        task=alone.task.id,
        is_reproducible=not found.differing,
        files=found.files,
        bytes=found.bytes,
        differing=found.differing,
        conditions=found.conditions,
        differences=found.differences,
    )
    console = invocation.console
    if format == "json":
        print_document(console, document)
    elif document.is_reproducible:
        made = f"{plural(document.files, 'output')}, {size(document.bytes)}"
        console.data(f"{document.task} makes the same twice: {made}\n")
    else:
        for difference in document.differences:
            told = visible(describe(difference))
            console.data(f"error[{Code.NOT_REPRODUCIBLE}]: {document.task}: {told}\n")
        left = document.differing - len(document.differences)
        if left:
            console.data(f"and {plural(left, 'more output')}\n")
    if format == "text" and len({around.cpus for around in document.conditions}) == 1:
        console.say("both runs had the same number of processors: this machine gives no choice")
    return DIFFERENT if document.differing else 0


def describe(difference: OutputDifference) -> str:
    """A difference in a sentence."""
    path = f"`{difference.path}`"
    match difference.kind:
        case "content":
            where = f"byte {difference.offset} (line {difference.line})"
            if difference.is_hidden:
                return f"{path} differs from {where} on: not shown, for it is of a secret"
            before, after = difference.before or "the end", difference.after or "the end"
            return f"{path} differs from {where} on: {before} | {after}"
        case "missing":
            which = "second" if difference.after == "missing" else "first"
            return f"{path} is missing in the {which} run"
        case "executable":
            return f"{path} is executable in one run and not in the other"
        case "link":
            return f"{path} links to {difference.before} and to {difference.after}"
        case "kind":
            return f"{path} is a {difference.before} and a {difference.after}"
