"""`pipec diff`: what a change of the pipeline file means."""

import os
from typing import Annotated, Literal

import typer

from pipec.cli.console import wants_color
from pipec.cli.differences import ComparedSide, DiffDocument
from pipec.cli.documents import print_document
from pipec.cli.git import Repository
from pipec.cli.invocation import Invocation
from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.cli.report.diff_markdown import render_markdown
from pipec.cli.report.diff_text import render_text
from pipec.cli.revisions import Side, compile_side, sides_of
from pipec.codes import Code
from pipec.errors import SpecError
from pipec.frontend.discover import NAMES, Found
from pipec.plan.diff import diff

app = command_app()

DIFFERENT = 1


@app.command(
    name="diff",
    epilog=examples(
        "pipec diff                     the working file against the last commit",
        "pipec diff v1.0..main          two revisions",
        "pipec diff main...HEAD --format markdown    what a branch changes",
    ),
)
def compare(
    context: typer.Context,
    revisions: Annotated[
        str | None,
        typer.Argument(
            metavar="[REV|A..B]", help="Compare with this revision, or two with each other."
        ),
    ] = None,
    *,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if there are differences.")
    ] = False,
    format: Annotated[  # noqa: A002
        Literal["text", "json", "markdown"],
        typer.Option("--format", help="For the terminal, for programs, for a pull request."),
    ] = "text",
) -> int:
    """Say what changed in the meaning of the pipeline. Runs nothing.

    Permissions and secrets come first. For each task that changed it says
    whether its key does, so whether it will run again.
    """
    invocation = invocation_of(context)
    found = find_project(invocation, revisions)
    repository = Repository.open(found.root, invocation.environ)
    before, after = sides_of(revisions, repository)
    old_path, old = compile_side(before, found, repository)
    new_path, new = compile_side(after, found, repository)
    difference = diff(old, new)
    document = DiffDocument(
        before=describe_side(before, old_path),
        after=describe_side(after, new_path),
        changes=difference.changes,
        keys=difference.keys,
    )
    if format == "json":
        print_document(invocation.console, document)
    elif format == "markdown":
        invocation.console.data(render_markdown(document))
    else:
        # The console's own colours are for standard error: this may go to a file beside it.
        is_colored = wants_color(
            invocation.settings.color, invocation.environ, invocation.console.out
        )
        style = invocation.console.style if is_colored else as_it_is
        invocation.console.data(render_text(document, style))
    return DIFFERENT if exit_code and difference.changes else 0


def find_project(invocation: Invocation, revisions: str | None) -> Found:
    """The project's file; two revisions may have one where there is none now.

    Raises:
        SpecError: there is none, or more than one.
    """
    try:
        return invocation.find()
    except SpecError as error:
        named = invocation.settings.file
        if error.code is not Code.NO_PIPELINE or ".." not in (revisions or "") or named:
            raise
        root = os.path.abspath(invocation.start)
        path = os.path.join(root, NAMES[0])
        return Found(root=root, path=path, notation="toml", shown=NAMES[0])


def describe_side(side: Side, path: str) -> ComparedSide:
    """A side as it is printed."""
    return ComparedSide(path=path, revision=side.revision, commit=side.commit)


def as_it_is(text: str, style: str) -> str:
    """The text without any look."""
    return text
