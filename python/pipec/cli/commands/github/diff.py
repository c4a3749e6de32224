"""`pipec github diff`: what `generate` would change, line by line."""

import difflib
from collections.abc import Iterator
from typing import Annotated

import typer

from pipec.backends.files import read_file, unified
from pipec.backends.github.generate import Generated, generate
from pipec.cli.github_subject import open_subject
from pipec.cli.parameters import examples, invocation_of

DIFFERENT = 1


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        name="diff",
        epilog=examples("pipec github diff", "pipec github diff --exit-code"),
    )(diff_workflow)


def diff_workflow(
    context: typer.Context,
    *,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if there are differences.")
    ] = False,
) -> int:
    """Show what `pipec github generate` would change in the files that are there."""
    invocation = invocation_of(context)
    _, _, subject = open_subject(invocation)
    text = "".join(differences(generate(subject)))
    invocation.console.data(text)
    return DIFFERENT if exit_code and text else 0


def differences(generated: Generated) -> Iterator[str]:
    """The differences of each file, in the form that `patch` reads."""
    top = generated.subject.place.top
    for file in generated.files:
        present = read_file(top, file.path)
        before = unified(present or b"").decode("utf-8", "replace").splitlines(keepends=True)
        after = (file.content or b"").decode().splitlines(keepends=True)
        old = f"a/{file.path}" if present is not None else "/dev/null"
        for line in difflib.unified_diff(before, after, old, f"b/{file.path}"):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
