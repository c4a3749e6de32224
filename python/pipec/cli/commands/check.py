"""`pipec check`: everything that is wrong with the pipeline file, at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal

import typer

from pipec.cli.documents import print_document
from pipec.cli.invocation import Invocation
from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.cli.report.findings import describe_findings
from pipec.cli.report.github import render_annotations
from pipec.cli.report.repository import path_in_repository
from pipec.cli.report.sarif import describe_sarif
from pipec.cli.report.words import plural
from pipec.cli.run import platform_name
from pipec.cli.trouble import reading_inputs
from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.errors import SpecError
from pipec.frontend.discover import Found
from pipec.frontend.document import Document
from pipec.frontend.load import Loaded, in_order, load
from pipec.frontend.render import render
from pipec.ir import codec
from pipec.plan.select import everything
from pipec.runtime.assess import open_engine
from pipec.runtime.request import RunRequest, Services

app = command_app()

ERRORS_FOUND = 1


@app.command(
    epilog=examples(
        "pipec check",
        "pipec check --files            also: patterns that match no file",
        "pipec check --format sarif > pipec.sarif",
        "pipec check --format github    annotations in a workflow of GitHub",
    )
)
def check(
    context: typer.Context,
    *,
    files: Annotated[
        bool, typer.Option("--files", help="Also report input patterns that match no file.")
    ] = False,
    format: Annotated[  # noqa: A002
        Literal["text", "json", "sarif", "github"],
        typer.Option("--format", help="For people, programs, code scanning, GitHub annotations."),
    ] = "text",
) -> int:
    """Check the pipeline file. Runs nothing.

    Exits with 1 if there are errors; warnings alone are no reason to fail.
    """
    invocation = invocation_of(context)
    found = invocation.find()
    loaded, findings, document = load_all(found)
    if files and loaded is not None:
        idle = unmatched_patterns(invocation, found, loaded)
        findings = in_order([*findings, *idle], loaded.document)
    described = describe_findings(findings, document)
    if format == "json":
        print_document(invocation.console, described)
    elif format in {"sarif", "github"}:
        path = path_in_repository(found.path, shown=found.shown)
        reviewed = replace(described, path=path)
        if format == "sarif":
            print_document(invocation.console, describe_sarif(reviewed))
        else:
            invocation.console.data(render_annotations(reviewed))
    else:
        if findings:
            text = render(findings, document, color=invocation.console.color)
            invocation.console.complain(text.rstrip("\n"))
        if loaded is not None:
            tasks = plural(len(loaded.pipeline.tasks), "task")
            jobs = plural(len(loaded.pipeline.jobs), "job")
            warnings = plural(described.warnings, "warning")
            invocation.console.data(f"{found.shown}: {tasks}, {jobs}, {warnings}\n")
        else:
            invocation.console.say(f"{found.shown}: {plural(described.errors, 'error')}")
    return ERRORS_FOUND if described.errors else 0


def load_all(found: Found) -> tuple[Loaded | None, Sequence[Finding], Document]:
    """The pipeline if it is right, every finding, and the text that the findings are about.

    Raises:
        SpecError: there is no text: the file cannot be read.
    """
    try:
        loaded = load(found)
    except SpecError as error:
        if not isinstance(error.document, Document):
            raise
        return None, error.findings, error.document
    return loaded, loaded.warnings, loaded.document


def unmatched_patterns(invocation: Invocation, found: Found, loaded: Loaded) -> Iterator[Finding]:
    """A pattern of a task's inputs that selects no file."""
    pipeline = loaded.pipeline
    request = RunRequest(
        root=found.root,
        pipeline=pipeline,
        pipeline_bytes=codec.encode(pipeline),
        plan=everything(pipeline),
        platform=platform_name(),
        host_env=invocation.environ,
    )
    engine = open_engine(request, Services(), run_id="")
    for task in request.plan.tasks:
        origin = loaded.origins[task]
        with reading_inputs():
            unmatched = engine.unmatched(task)
        for index in unmatched:
            yield Finding(
                Code.PATTERN_MATCHES_NOTHING,
                f"an input of `{task}` matches no file",
                labels=(Label(origin.of("inputs", origin.inputs[index])),),
                severity="warning",
            )
