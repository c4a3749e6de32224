"""The compiled pipeline of an unchanged file: the fast path of every command."""

import json
import os
import stat
from typing import Any

from pipec import _core
from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.frontend.discover import Found
from pipec.frontend.document import Document
from pipec.frontend.read import read_bytes, read_text
from pipec.frontend.state import make_state_folder

_FORMAT = b"pipec compiled 1\n"
_KEPT = 16
"""Entries of a project that are kept: enough for switching between a few branches."""


class Compiled:
    """The canonical bytes of a pipeline, their digest, and the warnings of its file."""

    __slots__ = ("digest", "document", "pipeline_bytes", "warnings")

    def __init__(
        self,
        *,
        pipeline_bytes: bytes,
        digest: str,
        warnings: tuple[Finding, ...],
        document: Document,
    ) -> None:
        self.pipeline_bytes = pipeline_bytes
        self.digest = digest
        self.warnings = warnings
        self.document = document


def load(found: Found, *, state: str, keeps: bool = True) -> Compiled:
    """The compiled pipeline of a file. `state` is the project's `.pipec` folder.

    `keeps` False: if it has to be compiled, nothing is left for the next command.

    An entry is found by the bytes of the file and the version of the tool. Whatever is wrong with
    the entries, the pipeline is compiled anew.

    Raises:
        SpecError: with every finding, sorted by place.
    """
    content = read_bytes(found)
    folder, name = _place(found, content, state)
    path = os.path.join(folder, name)
    document = read_text(found, content)
    compiled = _read(path, document)
    if compiled is None:
        compiled = _compile(document)
        if keeps:
            _write(state, folder, name, compiled)
    return compiled


def keep(found: Found, *, state: str) -> bool:
    """Compiles a file that has no entry, and gives whether it has one now that it had not before.

    Raises:
        SpecError: with every finding, sorted by place.
    """
    content = read_bytes(found)
    folder, name = _place(found, content, state)
    if os.path.exists(os.path.join(folder, name)):
        return False
    return _write(state, folder, name, _compile(read_text(found, content)))


def _place(found: Found, content: bytes, state: str) -> tuple[str, str]:
    """The folder of entries, and the name of the one for a file with these bytes."""
    name = _core.digest(f"pipec compiled {_core.VERSION} {found.notation}", content)
    return os.path.join(state, "cache", "ir"), name


def compiled_of(state: str, digest: str) -> bytes | None:
    """The canonical bytes with this digest, if an entry of the project still has them."""
    try:
        entries = list(os.scandir(os.path.join(state, "cache", "ir")))
    except OSError:
        return None
    nowhere = Document("", "", "toml")
    found = (_read(entry.path, nowhere) for entry in entries)
    return next((one.pipeline_bytes for one in found if one and one.digest == digest), None)


def _compile(document: Document) -> Compiled:
    from pipec.frontend.load import load_document
    from pipec.ir.codec import digest, encode

    loaded = load_document(document)
    pipeline_bytes = encode(loaded.pipeline)
    return Compiled(
        pipeline_bytes=pipeline_bytes,
        digest=digest(pipeline_bytes),
        warnings=loaded.warnings,
        document=document,
    )


def _read(path: str, document: Document) -> Compiled | None:
    """The entry, or None if it is missing, cut short, or not what was written."""
    try:
        # A pipe in its place is not waited for.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            entry = file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
        if not entry.startswith(_FORMAT):
            return None
        checksum, _, body = entry.removeprefix(_FORMAT).partition(b"\n")
        if checksum.decode() != _core.digest("pipec compiled entry", body):
            return None
        head, _, pipeline_bytes = body.partition(b"\n")
        digest, warnings = json.loads(head)
        return Compiled(
            pipeline_bytes=pipeline_bytes,
            digest=digest,
            warnings=tuple(_to_finding(item) for item in warnings),
            document=document,
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(state: str, folder: str, name: str, compiled: Compiled) -> bool:
    """Keeps an entry, if the disk allows it, and removes the oldest beyond a few."""
    head = json.dumps([compiled.digest, [_from_finding(item) for item in compiled.warnings]])
    body = head.encode() + b"\n" + compiled.pipeline_bytes
    checksum = _core.digest("pipec compiled entry", body).encode()
    temporary = os.path.join(folder, f"{name}.{os.getpid()}.new")
    try:
        make_state_folder(state)
        os.makedirs(folder, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(_FORMAT + checksum + b"\n" + body)
        os.replace(temporary, os.path.join(folder, name))
        entries = sorted(os.scandir(folder), key=lambda entry: entry.stat().st_mtime_ns)
        for entry in entries[:-_KEPT]:
            os.unlink(entry.path)
    except OSError:
        # It is only a cache: the next command compiles again.
        return False
    return True


def _from_finding(finding: Finding) -> dict[str, object]:
    return {
        "code": finding.code.value,
        "message": finding.message,
        "labels": [[label.route, label.text, label.at, label.span] for label in finding.labels],
        "help": finding.help,
        "severity": finding.severity,
    }


def _to_finding(item: dict[str, Any]) -> Finding:
    labels = tuple(
        Label(tuple(route), text, at, None if span is None else tuple(span))
        for route, text, at, span in item["labels"]
    )
    return Finding(
        Code(item["code"]),
        item["message"],
        labels,
        tuple(item["help"]),
        item["severity"],
    )
