"""`pipec lsp`: the language server, for editors."""

import os
import sys
from typing import Annotated

import typer

from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.cli.run import platform_name
from pipec.codes import Code
from pipec.errors import PipecError

app = command_app()


@app.command(epilog=examples("pipec lsp                     an editor starts it and talks to it"))
def lsp(
    context: typer.Context,
    *,
    stdio: Annotated[
        bool,
        typer.Option("--stdio", help="Use standard input and output, as it does anyway."),
    ] = False,
) -> int:
    """Serve an editor: diagnostics, completion, hover, names, formatting.

    Speaks the language-server protocol over standard input and output. Serves files with the name
    of a pipeline, and files that name its schema at the top. Needs the extra `lsp`.
    """
    del stdio
    invocation = invocation_of(context)
    try:
        from pipec.lsp.inspection import Machine
        from pipec.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"pygls", "lsprotocol"}:
            raise
        message = "the language server needs pygls: `pip install 'pipec[lsp]'` installs it"
        raise PipecError(Code.MISSING_EXTRA, message) from None
    machine = Machine(platform=platform_name(), environ=invocation.environ)
    # Whatever else is printed here would not be the protocol: it goes where words go.
    with open(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return serve(sys.stdin.buffer, out, machine)
