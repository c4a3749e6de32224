"""Reads TOML: tomli for the values, the core for all syntax errors at once."""

from collections.abc import Sequence
from typing import Any

import tomli

from pipec import _core
from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.errors import SpecError
from pipec.frontend.document import Document

_DUPLICATE = "duplicate key"
"""What the core says of a key that is written again."""


def read_toml(document: Document) -> dict[str, Any]:
    """The values of a TOML document.

    Raises:
        SpecError: with every syntax error.
    """
    try:
        return tomli.loads(document.text)
    except tomli.TOMLDecodeError as error:
        raise SpecError(_syntax_errors(document, error), document=document) from None
    except RecursionError:
        message = "tables and lists stand in each other too deep to be read"
        raise SpecError([Finding(Code.TOML_SYNTAX, message)], document=document) from None


def _syntax_errors(document: Document, error: tomli.TOMLDecodeError) -> list[Finding]:
    errors = _core.toml_errors(document.text)
    if not errors:
        # The two parsers disagree: tomli's word decides, and it has a position too.
        offset = len(document.text[: error.pos].encode())
        errors = [(error.msg, offset, offset)]
    return [
        _repeated_key(document, start, end)
        if message == _DUPLICATE
        else Finding(
            Code.TOML_SYNTAX, message[:1].lower() + message[1:], (Label(span=(start, end)),)
        )
        for message, start, end in errors
    ]


def _repeated_key(document: Document, start: int, end: int) -> Finding:
    """A key or a table that is written again, with the place where it was first written."""
    content = document.text.encode()
    key = content[start:end].decode()
    line_start = content.rfind(b"\n", 0, start) + 1
    before = content[:line_start].decode().split("\n")
    own_line = content[line_start:].decode().split("\n", 1)[0].rstrip("\r")
    again = Label(text="written again", span=(start, end))
    first: tuple[int, int] | None = None
    heading = _heading(own_line)
    if heading:
        message = f"the table `{'.'.join(heading)}` is written twice"
        first = _first_heading(before, heading)
    else:
        message = f"the key `{key}` is written twice in one table"
        table = next((found for line in reversed(before) if (found := _heading(line))), ())
        keys = _keys_of(own_line[: own_line.find(key) + len(key)] + " = 0")
        (span,) = document.spans([(*table, *keys)]) if keys else (None,)
        if span is not None and span[1] < start:
            first = span[:2]
    labels = (again, Label(text="first written here", span=first)) if first else (again,)
    return Finding(Code.REPEATED_KEY, message, labels)


def _heading(line: str) -> tuple[str, ...]:
    """The route of the table that a line begins; empty for any other line."""
    return _keys_of(line.rstrip("\r")) if line.lstrip().startswith("[") else ()


def _keys_of(line: str) -> tuple[str, ...]:
    try:
        value: Any = tomli.loads(line)
    except (tomli.TOMLDecodeError, RecursionError):
        return ()
    keys: list[str] = []
    while isinstance(value, dict) and value:
        key, value = next(iter(value.items()))
        keys.append(key)
    return tuple(keys)


def _first_heading(lines: Sequence[str], heading: tuple[str, ...]) -> tuple[int, int] | None:
    offset = 0
    for line in lines:
        if _heading(line) == heading:
            return offset, offset + len(line.split("]")[0].encode()) + 1
        offset += len(line.encode()) + 1
    return None
