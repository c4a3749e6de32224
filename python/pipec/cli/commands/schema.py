"""`pipec schema`: the JSON Schema of the pipeline file."""

import json
import os
from typing import Annotated

import typer

from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.codes import Code
from pipec.errors import RunError
from pipec.runtime.visible import visible
from pipec.spec.schema import pipeline_schema

app = command_app()


@app.command(
    epilog=examples(
        "pipec schema",
        "pipec schema --out .pipec/schemas/pipeline.schema.json",
    )
)
def schema(
    context: typer.Context,
    *,
    out: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write it to this file instead.")
    ] = None,
) -> None:
    """Print the JSON Schema of the pipeline file, for editors."""
    invocation = invocation_of(context)
    if out is None:
        invocation.console.data(render_schema())
    else:
        write_schema(os.path.join(invocation.cwd, out))
        invocation.console.say(f"wrote {visible(out)}")


def render_schema() -> str:
    """The schema as a text that does not change unless the language does."""
    return json.dumps(pipeline_schema(), indent=2, ensure_ascii=False) + "\n"


def write_schema(path: str) -> None:
    """Puts the schema in a file.

    Raises:
        RunError: the file cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(render_schema())
    except OSError as error:
        raise RunError(Code.STATE_UNWRITABLE, f"cannot write `{path}`: {error.strerror}") from error
