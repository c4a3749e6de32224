"""`pipec github generate`: writes the workflow, its lock and its pins."""

import os

import typer

from pipec.backends.files import compare_files, write_files
from pipec.backends.github.generate import Generated, generate
from pipec.cli.github_subject import open_subject
from pipec.cli.invocation import Invocation
from pipec.cli.parameters import Dry, examples, invocation_of
from pipec.runtime.visible import visible


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        name="generate",
        epilog=examples(
            "pipec github generate",
            "pipec github generate --dry    only say what would be written",
        ),
    )(generate_workflow)


def generate_workflow(context: typer.Context, *, dry: Dry = False) -> None:
    """Write the workflow, its lock, and the file of pinned actions.

    Runs nothing and needs no network. Nothing is written unless all can be.
    """
    invocation = invocation_of(context)
    _, _, subject = open_subject(invocation)
    generated = generate(subject)
    write_or_say(invocation, generated, dry=dry)


def write_or_say(invocation: Invocation, generated: Generated, *, dry: bool) -> None:
    """Writes what is generated and says so; with `dry` only says what it would do."""
    top = generated.subject.place.top
    files = generated.files
    changed = compare_files(top, files) if dry else write_files(top, files)
    verb = "would write" if dry else "wrote"
    for item in changed:
        path = os.path.relpath(os.path.join(top, item.path), invocation.cwd)
        invocation.console.say(f"{verb} {visible(path)}")
    if not changed:
        invocation.console.say("everything is up to date")
