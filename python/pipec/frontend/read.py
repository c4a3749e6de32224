"""Reads the pipeline file: bytes, then text, then plain values."""

import os
import stat
from typing import Any

from pipec.codes import Code
from pipec.diagnostics import Addition, Finding, Label, Route
from pipec.errors import SpecError
from pipec.frontend.discover import Found
from pipec.frontend.document import Document

LARGEST = 8 * 1024 * 1024
"""The largest pipeline file that is read, in bytes."""

DEEPEST = 64
"""How deep tables and lists may stand in each other."""


def read_bytes(found: Found) -> bytes:
    """The bytes of the file.

    Raises:
        SpecError: it cannot be read, it is not a regular file, or it is too large.
    """
    # Without O_NONBLOCK a named pipe in the file's place would wait for a writer forever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(found.path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unreadable(found, "it is not a regular file")
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise _unreadable(found, "it is not there any more") from None
    except OSError as error:
        raise _unreadable(found, (error.strerror or "unknown reason").lower()) from None
    if len(content) > LARGEST:
        message = f"`{found.shown}` is larger than {LARGEST // 1024 // 1024} MiB"
        advice = "a pipeline of 10,000 tasks takes about 2 MiB; is this the right file?"
        raise SpecError([Finding(Code.FILE_TOO_LARGE, message, help=(advice,))])
    return content


def read_text(found: Found, content: bytes) -> Document:
    """The file as text.

    Raises:
        SpecError: it is not UTF-8, or there is nothing in it.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise SpecError([_not_utf8(found, content, error.start)]) from None
    # A byte order mark says nothing in UTF-8; editors on Windows write it all the same.
    document = Document(found.shown, text.removeprefix("\ufeff"), found.notation)
    if not document.text.strip():
        advice = 'the least that a pipeline says is its name: `name = "app"`'
        if found.notation == "yaml":
            advice = "the least that a pipeline says is its name: `name: app`"
        message, addition = f"`{found.shown}` is empty", Addition((), "name", "")
        finding = Finding(Code.EMPTY_FILE, message, help=(advice,), addition=addition)
        raise SpecError([finding])
    return document


def read_values(document: Document) -> dict[str, Any]:
    """The tables, lists and values that the text spells.

    Raises:
        SpecError: with every syntax error that can be found.
    """
    if document.notation == "toml":
        from pipec.frontend.read_toml import read_toml

        values = read_toml(document)
    else:
        from pipec.frontend.read_yaml import read_yaml

        values = read_yaml(document)
    findings = _unusable(values, suspicious="\\" in document.text)
    if findings:
        raise SpecError(findings, document=document)
    return values


def _unusable(values: dict[str, Any], *, suspicious: bool) -> list[Finding]:
    """What can be spelled and not be used: bottomless tables, NUL, half characters."""
    findings: list[Finding] = []
    pending: list[tuple[Route, Any]] = [((), values)]
    while pending:
        route, value = pending.pop()
        members: Any = ()
        if isinstance(value, dict):
            members = value.items()
        elif isinstance(value, list):
            members = enumerate(value)
        elif suspicious and isinstance(value, str) and _is_unusable_text(value):
            message = "a text cannot hold a NUL character or half of a surrogate pair"
            findings.append(Finding(Code.INVALID_VALUE, message, (Label(route),)))
        for key, member in members:
            if suspicious and isinstance(key, str) and _is_unusable_text(key):
                message = "a key cannot hold a NUL character or half of a surrogate pair"
                findings.append(Finding(Code.INVALID_VALUE, message, (Label(route),)))
            elif isinstance(member, (dict, list)) and len(route) >= DEEPEST:
                message = f"tables and lists stand in each other more than {DEEPEST} deep"
                findings.append(Finding(Code.INVALID_VALUE, message, (Label(route[:2]),)))
            elif suspicious or isinstance(member, (dict, list)):
                pending.append(((*route, key), member))
    return findings


def _is_unusable_text(text: str) -> bool:
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _unreadable(found: Found, reason: str) -> SpecError:
    return SpecError([Finding(Code.UNREADABLE_FILE, f"`{found.shown}` cannot be read: {reason}")])


def _not_utf8(found: Found, content: bytes, offset: int) -> Finding:
    line = content.count(b"\n", 0, offset) + 1
    column = len(content[content.rfind(b"\n", 0, offset) + 1 : offset].decode()) + 1
    return Finding(
        Code.NOT_UTF8,
        f"`{found.shown}` is not UTF-8: line {line}, column {column} "
        f"has the byte 0x{content[offset]:02x}",
        help=("save the file as UTF-8",),
    )
