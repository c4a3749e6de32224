"""`pipec fmt`: the pipeline file in canonical layout."""

import difflib
import os
import tempfile
from typing import Annotated

import typer

from pipec.cli.invocation import Invocation
from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.codes import Code
from pipec.errors import RunError
from pipec.frontend.discover import Found, find
from pipec.frontend.document import Document
from pipec.frontend.layout.canonical import canonical_toml
from pipec.frontend.layout.order import misplaced_keys
from pipec.frontend.read import read_bytes, read_text, read_values
from pipec.runtime.visible import visible

app = command_app()

WOULD_CHANGE = 1
_BYTE_ORDER_MARK = "\ufeff"


@app.command(
    epilog=examples(
        "pipec fmt",
        "pipec fmt --check             print what would change; exit with 1 if anything would",
        "pipec fmt web/pipeline.toml",
    )
)
def fmt(
    context: typer.Context,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Instead of the project's pipeline file.")
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; print the difference.")
    ] = False,
) -> int:
    """Lay out a pipeline file: order of keys, blank lines, long arrays.

    Comments stay with what they are about, and what the file says stays the same. The order of
    tasks and jobs is their author's. A YAML file is only checked.
    """
    invocation = invocation_of(context)
    found = find(invocation.start, file or invocation.settings.file)
    content = read_bytes(found)
    document = read_text(found, content)
    values = read_values(document)
    if document.notation == "yaml":
        return _check_yaml(invocation, document)
    laid_out = canonical_toml(document, values)
    if laid_out == document.text:
        invocation.console.say(f"{visible(found.shown)} is laid out already")
        return 0
    if check:
        invocation.console.data(_difference(document, laid_out))
        return WOULD_CHANGE
    mark = _BYTE_ORDER_MARK if content.decode().startswith(_BYTE_ORDER_MARK) else ""
    replace_file(found, (mark + laid_out).encode())
    invocation.console.say(f"laid out {visible(found.shown)}")
    return 0


def _check_yaml(invocation: Invocation, document: Document) -> int:
    """Names the keys that stand in the wrong place: comments in YAML would not survive a move."""
    console = invocation.console
    console.say(f"{visible(document.path)} is YAML: it is checked, and never rewritten")
    misplaced = list(misplaced_keys(read_values(document)))
    for route, above in misplaced:
        name = ".".join(map(str, route))
        console.data(f"`{visible(name)}` belongs above `{visible(above)}`\n")
    return WOULD_CHANGE if misplaced else 0


def _difference(document: Document, laid_out: str) -> str:
    """A unified diff from the file as it is to what it would be."""
    name = visible(document.path)
    lines = difflib.unified_diff(
        document.text.splitlines(), laid_out.splitlines(), name, f"{name} (laid out)", lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


def replace_file(found: Found, content: bytes) -> None:
    """Puts the text in the file's place at once, with its mode; behind a link, where that leads.

    Raises:
        RunError: the folder or the file cannot be written.
    """
    path = os.path.realpath(found.path)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".pipec-fmt-")
        with open(handle, "wb") as file:
            os.fchmod(file.fileno(), os.stat(path).st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        message = f"cannot write `{found.shown}`: {error.strerror}"
        raise RunError(Code.STATE_UNWRITABLE, message) from error
