"""`pipec explain`: what an error code means."""

import os
from typing import Annotated

import typer

import pipec
from pipec.cli.options import UsageError
from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.codes import Code
from pipec.frontend.suggest import did_you_mean

app = command_app()


@app.command(epilog=examples("pipec explain PIPEC_UNKNOWN_FIELD", "pipec explain unknown-field"))
def explain(
    context: typer.Context,
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="The code, with or without `PIPEC_`.")
    ],
) -> None:
    """Explain an error code: what it means, an example, what to do."""
    invocation_of(context).console.data(read_page(find_code(code)))


def find_code(text: str) -> Code:
    """The code that somebody means, however it is written.

    Raises:
        UsageError: there is no such code.
    """
    name = text.upper().replace("-", "_")
    full = name if name.startswith("PIPEC_") else f"PIPEC_{name}"
    try:
        return Code(full)
    except ValueError:
        raise UsageError(
            f"there is no code `{text}`", help=did_you_mean(full, [code.value for code in Code])
        ) from None


def read_page(code: Code) -> str:
    """The page about a code, as it is in the documentation."""
    package = os.path.dirname(os.path.abspath(pipec.__file__))
    with open(os.path.join(package, "error_pages", f"{code}.md"), encoding="utf-8") as file:
        return file.read()
