"""`pipec schema`: the JSON Schemas of what people and programs read and write."""

import os
from typing import Annotated

import typer

from pipec.cli.options import UsageError
from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.cli.schema_files import read_schema, schema_names, write_schema
from pipec.frontend.suggest import did_you_mean
from pipec.runtime.visible import visible

app = command_app()


@app.command(
    epilog=examples(
        "pipec schema",
        "pipec schema --out .pipec/schemas/pipeline.schema.json",
        "pipec schema execution-record     of .pipec/runs/<id>/execution.json",
        "pipec schema cli/check            of `pipec check --format json`",
        "pipec schema --list",
    )
)
def schema(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Which schema; `--list` names them all.")
    ] = "pipeline",
    *,
    out: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write it to this file instead.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Print the names of all schemas.")] = False,
) -> None:
    """Print a JSON Schema: that of the pipeline file, for editors, or another one."""
    invocation = invocation_of(context)
    names = schema_names()
    if list_:
        invocation.console.data("".join(f"{known}\n" for known in names))
        return
    if name not in names:
        advice = did_you_mean(name, names) or ("`pipec schema --list` names them all",)
        raise UsageError(f"there is no schema `{visible(name)}`", help=advice)
    if out is None:
        invocation.console.data(read_schema(name))
    else:
        write_schema(os.path.join(invocation.cwd, out), name)
        invocation.console.say(f"wrote {visible(out)}")
