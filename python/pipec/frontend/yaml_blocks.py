"""Cuts a YAML text into blocks that can be read one by one.

Blocks are the keys at the top of the text, and those of a table that stands below its own line.
What is read of a block alone is what it means in the text, if it can be read: no line of a table
is indented less than its keys, so that nothing of one block reaches into the next. Anchors do: a
reader has to look for them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipec.frontend.yaml_scalars import resolve

UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML does not allow anywhere."""

_NAME = r"""(?:[A-Za-z_$][\w$-]*|"[\w$ .-]+"|'[\w$ .-]+')"""
_KEY = re.compile(rf"{_NAME}(?=:(?:\s|$))", re.ASCII)
_BARE = re.compile(rf"({_NAME}):[ \t]*(?:#[^\n]*)?\r?\n", re.ASCII)
_AT_THE_START = re.compile(r"^[^\s#]", re.MULTILINE)
_INDENTED = re.compile(r"^( *)[^\s#]", re.MULTILINE)
_REMARKS = re.compile(r"(?: *(?:#[^\n]*)?\r?\n)*")
_OTHER_DOCUMENT = re.compile(r"^(?:%|---|\.\.\.)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Heading:
    """The key of a table whose entries are blocks, where it begins, and how long it is written."""

    key: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the text: entries of the table under `heading`, else of the top.

    Offsets count characters.
    """

    text: str
    start: int
    heading: Heading | None = None


def cut(text: str) -> list[Block] | None:
    """The blocks of a text, which they make up but for headings; None if it has another form."""
    if _OTHER_DOCUMENT.search(text):
        return None
    lines = [found.start() for found in _AT_THE_START.finditer(text)]
    starts = [start for start in lines if _KEY.match(text, start)]
    if not starts or starts[0] != lines[0] or not _REMARKS.fullmatch(text, 0, starts[0]):
        return None
    if UNREADABLE.search(text, 0, starts[0]):
        # What stands in no block is read by nobody else.
        return None
    ends = [*starts[1:], len(text)]
    blocks: list[Block] = []
    for start, end in zip(starts, ends, strict=True):
        found = list(_entries(text, start, end))
        # Comments above the first key belong to it: a reader passes over them.
        blocks += found or [Block(text[start:end], start)]
    return blocks


def _entries(text: str, start: int, end: int) -> Iterator[Block]:
    """The entries of the table that a key has below its line; none if it has no such table."""
    bare = _BARE.match(text, start, end)
    first = _INDENTED.search(text, bare.end(), end) if bare else None
    if bare is None or first is None or not first[1] or not isinstance(resolve(bare[1]), str):
        return
    if UNREADABLE.search(text, start, bare.end()):
        return
    indent = len(first[1])
    shallow = re.compile(rf"^ {{0,{indent}}}[^\s#]", re.MULTILINE)
    lines = [found.end() - 1 for found in shallow.finditer(text, bare.end(), end)]
    starts = [place for place in lines if _KEY.match(text, place)]
    is_table = bool(starts) and starts[0] == lines[0]
    if not is_table or any(text.rfind("\n", 0, place) != place - indent - 1 for place in lines):
        return
    heading = Heading(bare[1].strip("\"'"), start, len(bare[1]))
    begins = [bare.end(), *(place - indent for place in starts[1:])]
    for begin, stop in zip(begins, [*begins[1:], end], strict=True):
        yield Block(text[begin:stop], begin, heading)
