"""`pipec mcp`: the project for programs that speak the Model Context Protocol."""

from typing import Annotated

import typer

from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.codes import Code
from pipec.errors import PipecError

app = command_app()


@app.command(epilog=examples("pipec mcp", "pipec mcp --allow-run", "pipec mcp -C ~/projects/app"))
def mcp(
    context: typer.Context,
    *,
    allow_run: Annotated[
        bool, typer.Option("--allow-run", help="Also offer a tool that runs jobs.")
    ] = False,
) -> None:
    """Serve the project over the Model Context Protocol, on standard input and output.

    Its tools look at the pipeline and at the records of runs; without `--allow-run` none of them
    runs anything. Ends when the client closes the streams.
    """
    try:
        from pipec.cli.mcp.server import serve
    except ImportError as error:
        if (error.name or "").startswith("pipec"):
            raise
        message = "serving MCP needs its SDK: `pip install 'pipec[mcp]'` installs it"
        raise PipecError(Code.MISSING_EXTRA, message) from None
    invocation = invocation_of(context)
    serve(lambda: invocation, allow_run=allow_run)
