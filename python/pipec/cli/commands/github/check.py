"""`pipec github check`: whether the workflow is what the pipeline asks for, and if not, why."""

import os
from dataclasses import replace
from typing import Annotated, Literal

import typer

from pipec.backends.github.check import Drift, check
from pipec.backends.github.generate import generate
from pipec.backends.github.subject import Subject
from pipec.backends.github.task_cache import DIGEST
from pipec.cli.documents import print_document
from pipec.cli.github_subject import open_subject
from pipec.cli.invocation import Invocation
from pipec.cli.parameters import examples, invocation_of
from pipec.cli.report.drift import by_file, describe_drifts, render_drifts
from pipec.cli.report.github import render_annotations
from pipec.cli.report.sarif import describe_sarif
from pipec.codes import Code
from pipec.errors import DriftError, RunError
from pipec.ir import codec
from pipec.ir.sync import SyncSettings

DRIFTED = 1


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        name="check",
        epilog=examples(
            "pipec github check",
            "pipec github check --format github    annotations in a workflow of GitHub",
            "pipec github check --format sarif > drift.sarif",
        ),
    )(check_workflow)


def check_workflow(
    context: typer.Context,
    *,
    format: Annotated[  # noqa: A002
        Literal["text", "json", "sarif", "github"],
        typer.Option("--format", help="For people, programs, code scanning, GitHub annotations."),
    ] = "text",
) -> int:
    """Compare the workflow with what the pipeline asks for. Runs nothing, needs no network.

    Exits with 1 if they differ, and says what has changed since: the file, the
    pipeline and which field of it, the pinned actions, or pipec itself.
    """
    invocation = invocation_of(context)
    _, compiled, subject = open_subject(invocation)
    drifts: list[Drift] = []
    trouble: DriftError | None = None
    try:
        drifts = check(generate(subject))
    except DriftError as error:
        trouble = error
    document = describe_drifts(drifts, trouble, subject=subject, document=compiled.document)
    console = invocation.console
    if format == "json":
        print_document(console, document)
    elif format == "sarif":
        print_document(console, describe_sarif(*by_file(document)))
    elif format == "github":
        console.data("".join(map(render_annotations, by_file(document))))
        tell_runner(invocation, DIGEST, pipeline_digest(subject))
    elif document.drifts:
        console.complain(render_drifts(document, console.style).rstrip("\n"))
    if document.is_current and format in {"text", "github"}:
        console.say(f"{subject.sync.workflow} is what {subject.pipeline_file} asks for")
    return 0 if document.is_current else DRIFTED


def pipeline_digest(subject: Subject) -> str:
    """What the caches of runs are called after: the pipeline without what is generated of it."""
    content = replace(subject.pipeline, sync=SyncSettings())
    return codec.digest(codec.encode(content))[:16]


def tell_runner(invocation: Invocation, name: str, value: str) -> None:
    """Gives a value to later steps of the job, if this is a step of GitHub Actions.

    Raises:
        RunError: the runner's file cannot be written.
    """
    path = invocation.environ.get("GITHUB_OUTPUT", "")
    if not path:
        return
    try:
        with open(os.path.join(invocation.cwd, path), "a", encoding="utf-8") as file:
            file.write(f"{name}={value}\n")
    except OSError as error:
        message = f"cannot write `{path}`: {error.strerror}"
        raise RunError(Code.STATE_UNWRITABLE, message) from error
