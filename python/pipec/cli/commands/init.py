"""`pipec init`: a first pipeline for a project as it is."""

import contextlib
import os
from typing import Annotated

import typer

from pipec.cli.invocation import Invocation
from pipec.cli.options import UsageError
from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.cli.schema_files import write_schema
from pipec.cli.starters import SCHEMA, find_importable, find_name, find_starters, render_pipeline
from pipec.codes import Code
from pipec.errors import PlanError, RunError
from pipec.frontend.discover import NAMES
from pipec.frontend.state import make_state_folder
from pipec.runtime.records import STATE_FOLDER
from pipec.runtime.visible import visible

app = command_app()


@app.command(
    epilog=examples(
        "pipec init                     write pipeline.toml here",
        "pipec init --force             write it over one that is there",
    )
)
def init(
    context: typer.Context,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a pipeline that is there.")
    ] = False,
) -> None:
    """Write a first pipeline.toml, from what the folder holds.

    Looks at package.json, pyproject.toml, Cargo.toml, go.mod, Makefile, justfile and Taskfile.yml.
    Asks nothing and runs nothing. `pipec import` takes over all that such a file says.
    """
    invocation = invocation_of(context)
    folder = invocation.start
    name = target_name(invocation)
    present = [known for known in NAMES if os.path.lexists(os.path.join(folder, known))]
    if present and not (force and present == [name]):
        raise PlanError(
            Code.WOULD_OVERWRITE,
            f"there is a pipeline here: `{present[0]}`",
            help=("`--force` writes over it",) if present == [name] else ("remove it first",),
        )
    starters = find_starters(folder)
    text = render_pipeline(find_name(folder), starters)
    path = os.path.join(folder, name)
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise RunError(Code.STATE_UNWRITABLE, f"cannot write `{name}`: {error.strerror}") from error
    with contextlib.suppress(OSError):
        # If it cannot be made, writing the schema says so.
        make_state_folder(os.path.join(folder, STATE_FOLDER))
    write_schema(os.path.join(folder, SCHEMA))
    console = invocation.console
    console.say(f"wrote {visible(os.path.relpath(path, invocation.cwd))}")
    for starter in starters:
        console.say(f"  {starter.task}: {visible(starter.command)} (from {starter.found_in})")
    for kind in find_importable(folder):
        console.say(f"`pipec import {kind} --force` takes over all of it instead")
    console.say("try: pipec run verify")


def target_name(invocation: Invocation) -> str:
    """The file to write: `pipeline.toml`, unless `-f` names another TOML file.

    Raises:
        UsageError: `-f` names something that is no TOML file.
    """
    name = invocation.settings.file or "pipeline.toml"
    if not name.endswith(".toml"):
        raise UsageError(f"`pipec init` writes TOML, and `{name}` is something else")
    return name
