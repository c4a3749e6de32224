"""`pipec audit`: what a task reads and writes, held against what it declares."""

from typing import Annotated

import typer

from pipec.audit.audit import audit as audit_task
from pipec.cli.alone import in_place, shown_rules
from pipec.cli.documents import AuditDocument, print_document
from pipec.cli.fix import fix_declaration
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.report.errors import render_error
from pipec.cli.report.words import plural
from pipec.runtime.visible import visible

app = command_app()

UNDECLARED = 1


@app.command(
    epilog=examples(
        "pipec audit build",
        "pipec audit build --fix        and add to the pipeline file what is missing",
        "pipec audit build --format json",
    )
)
def audit(
    context: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK", help="The task.")],
    *,
    fix: Annotated[
        bool, typer.Option("--fix", help="Declare in the pipeline file what was not.")
    ] = False,
    format: Format = "text",  # noqa: A002
) -> int:
    """Run a task under tracing, and say what it does and does not declare.

    Reads that no input covers, writes that no output covers, connections; also inputs that were
    never read. What the task depends on runs first, as always. Nothing is stored. Needs `strace`.
    """
    invocation = invocation_of(context)
    with in_place(invocation, task, action="audit") as alone:
        rules = shown_rules(alone)
        audited = audit_task(alone.request, alone.task, alone.engine, rules)
    errors = sum(finding.severity == "error" for finding in audited.findings)
    fixed = fix_declaration(invocation, alone.task, audited.findings) if fix and errors else ()
    # Some of what a task does no pattern can declare.
    remaining = sum(
        finding.severity == "error" and not (fixed and finding.field)
        for finding in audited.findings
    )
    document = AuditDocument(
        task=alone.task.id,
        errors=errors,
        warnings=len(audited.findings) - errors,
        failure=audited.failure.message if audited.failure else None,
        findings=audited.findings,
        added=fixed,
    )
    console = invocation.console
    if format == "json":
        print_document(console, document)
    else:
        for finding in audited.findings:
            console.data(f"{finding.severity}[{finding.code}]: {visible(finding.message)}\n")
        for line in fixed:
            console.data(f"added {visible(line)}\n")
        if not errors and audited.failure is None:
            console.data(f"{document.task} declares all that it does\n")
        elif remaining:
            found = plural(remaining, "thing")
            console.say(f"{document.task} does {found} that it does not declare")
    if audited.failure is not None:
        console.complain(render_error(audited.failure, color=console.color))
        return UNDECLARED
    return UNDECLARED if remaining else 0
