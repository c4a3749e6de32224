"""`pipec completions`: completion of commands and options for a shell."""

from typing import Annotated, Literal

import typer

# What is public in typer installs the script; only this gives it without touching files.
from typer._completion_shared import get_completion_script

from pipec.cli.app import COMPLETION
from pipec.cli.parameters import command_app, examples, invocation_of

app = command_app()


@app.command(
    epilog=examples(
        "pipec completions bash >> ~/.bashrc",
        "pipec completions zsh > ~/.zfunc/_pipec",
        "pipec completions fish > ~/.config/fish/completions/pipec.fish",
    )
)
def completions(
    context: typer.Context,
    shell: Annotated[
        Literal["bash", "zsh", "fish"], typer.Argument(help="The shell to complete in.")
    ],
) -> None:
    """Print a completion script for a shell."""
    script = get_completion_script(prog_name="pipec", complete_var=COMPLETION, shell=shell)
    invocation_of(context).console.data(script + "\n")
