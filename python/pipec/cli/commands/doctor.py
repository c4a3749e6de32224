"""`pipec doctor`: whether what pipec needs is here."""

import typer

from pipec.cli.documents import DoctorDocument, print_document
from pipec.cli.health import examine
from pipec.cli.parameters import Format, command_app, examples, invocation_of

app = command_app()

SICK = 1
_MARKS = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "error": ("✗", "red"),
    "absent": ("-", "dim"),
}


@app.command(epilog=examples("pipec doctor", "pipec doctor --format json"))
def doctor(context: typer.Context, *, format: Format = "text") -> int:  # noqa: A002
    """Look at what pipec needs: programs, extras, the pipeline, its tools, its state.

    Changes nothing. Exits with 1 if something would fail; what is only absent is no reason to.
    """
    invocation = invocation_of(context)
    checks = examine(invocation)
    errors = sum(check.status == "error" for check in checks)
    warnings = sum(check.status == "warning" for check in checks)
    document = DoctorDocument(errors=errors, warnings=warnings, checks=checks)
    if format == "json":
        print_document(invocation.console, document)
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            mark = _MARKS[check.status][0]
            advice = f": {check.advice}" if check.advice else ""
            invocation.console.data(f"{mark} {check.name:<{width}}  {check.found}{advice}\n")
    return SICK if errors else 0
