"""`pipec explain`: what an error code means."""

from typing import Annotated

import typer

from pipec.cli.error_pages import read_page
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
