"""`pipec version`: which version this is. The front door answers it; this page is for the help."""

import typer

from pipec import _core
from pipec.cli.parameters import command_app, examples, invocation_of

app = command_app()


@app.command(epilog=examples("pipec version", "pipec --version"))
def version(context: typer.Context) -> None:
    """Print the version of pipec."""
    invocation_of(context).console.data(f"pipec {_core.VERSION}\n")
