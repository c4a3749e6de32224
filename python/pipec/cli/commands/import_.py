"""`pipec import`: a pipeline from another tool's file, with a report of how true it is."""

import contextlib
import os
from enum import Enum
from typing import Annotated

import typer

from pipec.cli.documents import print_document
from pipec.cli.invocation import Invocation
from pipec.cli.options import UsageError
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.report.imports import describe_import, render_import
from pipec.cli.schema_files import write_schema
from pipec.cli.starters import SCHEMA
from pipec.codes import Code
from pipec.errors import PlanError, RunError
from pipec.frontend.discover import NAMES, Notation
from pipec.frontend.state import make_state_folder
from pipec.importers.files import Files
from pipec.importers.kinds import IMPORTERS
from pipec.importers.make_pipeline import Imported, find_source, make_pipeline
from pipec.importers.port import Importer
from pipec.runtime.records import STATE_FOLDER
from pipec.runtime.visible import visible

app = command_app()

Kind = Enum("Kind", {importer.kind: importer.kind for importer in IMPORTERS})  # type: ignore[misc]

_KINDS = ", ".join(importer.kind for importer in IMPORTERS)
_STANDARD_OUTPUT = "-"
_WORKFLOWS = os.path.join(".github", "workflows")


@app.command(
    name="import",
    epilog=examples(
        "pipec import turbo",
        "pipec import make build/Makefile --yaml",
        "pipec import package-json --dry        only say how true the pipeline would be",
        "pipec import just --output -           print the pipeline",
    ),
)
def import_(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help=f"One of {_KINDS}.")],
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Its file; the usual one unless given.")
    ] = None,
    *,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="PATH", help="Where to write; `-` prints it."),
    ] = None,
    yaml: Annotated[bool, typer.Option("--yaml", help="Write YAML instead of TOML.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a pipeline that is there.")
    ] = False,
    dry: Annotated[bool, typer.Option("--dry", help="Write nothing; print the report.")] = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Write a pipeline from another tool's file, and say how true it is.

    Reads files and runs nothing. The report names what is exact, what is only close, and what was
    left out, each with its line and the reason.
    """
    invocation = invocation_of(context)
    if output == _STANDARD_OUTPUT and format == "json":
        raise UsageError("`--output -` and `--format json` both want standard output")
    importer = next(known for known in IMPORTERS if known.kind == kind.value)
    start = os.path.abspath(invocation.start)
    root, path = _source(importer, start, file)
    destination, notation = _destination(start, root, output, yaml=yaml)
    prefix = _prefix(destination, root)
    if not dry and destination is not None:
        _refuse_to_overwrite(destination, force=force)
    schema = "./" + SCHEMA
    result = make_pipeline(
        importer, Files(root), path, notation=notation, schema=schema, prefix=prefix
    )
    written = None if dry or destination is None else destination
    if written is not None:
        _write(written, result)
    _report(invocation, importer, result, written, format=format, is_printed=destination is None)


def _source(importer: Importer, start: str, file: str | None) -> tuple[str, str]:
    """The project's folder, and the file in it."""
    if file is None:
        return start, find_source(importer, Files(start))
    path = os.path.abspath(os.path.join(start, file))
    folder, name = os.path.split(path)
    if importer.names[0].startswith(_WORKFLOWS) and folder.endswith(os.sep + _WORKFLOWS):
        return folder.removesuffix(_WORKFLOWS).rstrip(os.sep) or os.sep, f"{_WORKFLOWS}/{name}"
    return folder, name


def _destination(
    start: str, root: str, output: str | None, *, yaml: bool
) -> tuple[str | None, Notation]:
    """The file to write, None for standard output, and its notation."""
    if output is None:
        # `pipeline.yaml` belongs to another product in the catalogues of editors.
        return os.path.join(root, "pipec.yaml" if yaml else "pipeline.toml"), (
            "yaml" if yaml else "toml"
        )
    if output == _STANDARD_OUTPUT:
        return None, "yaml" if yaml else "toml"
    extension = os.path.splitext(output)[1]
    if extension not in {".toml", ".yaml", ".yml"}:
        raise UsageError(f"a pipeline is `*.toml`, `*.yaml` or `*.yml`, and not `{output}`")
    if yaml and extension == ".toml":
        raise UsageError(f"`--yaml` and `--output {output}` contradict each other")
    return os.path.join(start, output), "toml" if extension == ".toml" else "yaml"


def _prefix(destination: str | None, root: str) -> str:
    """The folder of the source as the pipeline sees it."""
    folder = root if destination is None else os.path.dirname(os.path.abspath(destination))
    prefix = os.path.relpath(root, folder).replace(os.sep, "/")
    if prefix.startswith(".."):
        raise UsageError(
            "a pipeline cannot name files above its folder",
            help=("write it beside the file that is imported, or in a folder above",),
        )
    return "" if prefix == "." else prefix


def _refuse_to_overwrite(destination: str, *, force: bool) -> None:
    folder, name = os.path.split(destination)
    present = [known for known in NAMES if os.path.lexists(os.path.join(folder, known))]
    if name not in NAMES:
        present = [name] if os.path.lexists(destination) else []
    if present and not (force and present == [name]):
        raise PlanError(
            Code.WOULD_OVERWRITE,
            f"there is a pipeline here: `{present[0]}`",
            help=("`--force` writes over it",)
            if present == [name]
            else ("remove it first, or write elsewhere with `--output`",),
        )


def _write(destination: str, result: Imported) -> None:
    folder = os.path.dirname(destination)
    try:
        with open(destination, "w", encoding="utf-8", newline="\n") as file:
            file.write(result.text)
    except OSError as error:
        name = os.path.basename(destination)
        message = f"cannot write `{name}`: {error.strerror}"
        raise RunError(Code.STATE_UNWRITABLE, message) from error
    with contextlib.suppress(OSError):
        # If it cannot be made, writing the schema says so.
        make_state_folder(os.path.join(folder, STATE_FOLDER))
    write_schema(os.path.join(folder, SCHEMA))


def _report(
    invocation: Invocation,
    importer: Importer,
    result: Imported,
    written: str | None,
    *,
    format: str,  # noqa: A002
    is_printed: bool,
) -> None:
    console = invocation.console
    shown = None if written is None else os.path.relpath(written, invocation.cwd)
    document = describe_import(importer, result, shown)
    if format == "json":
        print_document(console, document)
    elif is_printed:
        console.data(result.text)
        console.say(render_import(document).rstrip("\n"))
    else:
        console.data(render_import(document))
    if shown is not None:
        console.say(f"wrote {visible(shown)}")
