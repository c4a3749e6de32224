"""The packs of a store, read and written by the description of their format alone."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.reference.blake3 import blake3

MAGIC = b"pipec pack 2\n\0\0\0"
HEADER = 64
BLOB, ENTRY = 0, 1


@dataclass(frozen=True)
class Record:
    """What a pack holds under a key, and where in the pack its contents begin."""

    kind: int
    key: str
    contents: bytes
    pack: Path
    offset: int


def packs(state: Path) -> list[Path]:
    """All packs, the oldest first."""
    return sorted((state / "packs").glob("*"), key=lambda path: int(path.name))


def records(state: Path) -> dict[tuple[int, str], Record]:
    """Everything in the packs; of two records with one key the later."""
    found = (record for path in packs(state) for record in scan(path))
    return {(record.kind, record.key): record for record in found}


def scan(path: Path) -> Iterator[Record]:
    """The records of one pack up to the first thing that is none."""
    data = path.read_bytes()
    assert data.startswith(MAGIC)
    at = len(MAGIC)
    while len(data) - at >= HEADER:
        header = data[at : at + HEADER]
        mark, kind, length, key = struct.unpack("<4sB3xQ32s", header[:48])
        start = at + HEADER
        if mark != b"prec" or header[48:].hex() != blake3(header[:48])[:32]:
            return
        if start + length > len(data):
            return
        yield Record(kind, key.hex(), data[start : start + length], path, start)
        at = start + length


def append(state: Path, kind: int, key: str, contents: bytes) -> None:
    """Adds a record to the last pack."""
    header = struct.pack("<4sB3xQ32s", b"prec", kind, len(contents), bytes.fromhex(key))
    with packs(state)[-1].open("ab") as pack:
        pack.write(header + bytes.fromhex(blake3(header)[:32]) + contents)


def put_blob(state: Path, contents: bytes) -> str:
    """Adds a blob; gives its digest."""
    digest = blake3(contents)
    append(state, BLOB, digest, contents)
    return digest
