"""What comes at a place of a YAML text: the parser is asked where a word would stand there."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from pipec.diagnostics import Route
from pipec.frontend.byte_offsets import ByteOffsets
from pipec.frontend.outline.cursors import Cursor
from pipec.frontend.outline.entries import Entry, Outline
from pipec.frontend.outline.yaml import outline_yaml, outline_yaml_start

_WORD = "pipec__cursor__"
"""What is put in the place of that which is half written."""

_LAST = 100
"""The word is among the last entries: only the tables that it is in may come after it."""

_WRITTEN = re.compile(r"""["']?[^\s\[\]{},"'#]*\Z""")
_BARE_KEY = re.compile(r"[^\s#][^#]*:\s*(#.*)?")


def yaml_cursors(text: str, offset: int, outlined: Outline) -> Sequence[Cursor]:
    """What can come at a byte offset: where a table is about to begin, a key or a value."""
    offsets = ByteOffsets(text)
    index = offsets.index(offset)
    line_start = text.rfind("\n", 0, index) + 1
    written = _WRITTEN.search(text[line_start:index])
    start = line_start + (written.start() if written else index - line_start)
    before = _nearest_lines(text, offset, outlined, offsets) + text[line_start:start]
    # A list on one line is not closed yet, which is no mistake here; others have to be mended.
    for outlining in (outline_yaml_start, outline_yaml):
        found = {
            Cursor(slot, route, offsets.at(start)): None
            for ending in ("", ":")
            for slot, route in _where(outlining(before + _WORD + ending))
        }
        if found:
            return tuple(found)
    return ()


def _where(outlined: Outline) -> Iterator[tuple[Literal["key", "value"], Route]]:
    for entry in outlined.entries[-_LAST:]:
        if entry.route[-1] == _WORD:
            yield "key", entry.route[:-1]
        elif entry.text == _WORD:
            yield "value", entry.route


def _nearest_lines(text: str, offset: int, outlined: Outline, offsets: ByteOffsets) -> str:
    """The lines above that decide where the cursor is: those of a section up to its last entry
    before the cursor say nothing about it."""
    line_start = text.rfind("\n", 0, offsets.index(offset)) + 1
    section = _last(outlined, offset, 1)
    if section is None:
        return text[:line_start]
    section_start = _line_start(text, offsets.index(section.key[0]))
    section_end = text.find("\n", section_start) + 1
    entry = _last(outlined, offset, 2)
    if entry is None or entry.route[0] != section.route[0] or not section_end:
        return text[min(section_start, line_start) : line_start]
    entry_start = _line_start(text, offsets.index(entry.key[0]))
    heading = text[section_start:section_end]
    if entry_start < section_end or not _BARE_KEY.fullmatch(heading.rstrip()):
        return text[min(section_start, line_start) : line_start]
    return heading + text[min(entry_start, line_start) : line_start]


def _last(outlined: Outline, offset: int, depth: int) -> Entry | None:
    """The last key of this depth before an offset."""
    last = None
    for entry in outlined.entries:
        if entry.key[0] > offset:
            break
        if len(entry.route) == depth and isinstance(entry.route[-1], str):
            last = entry
    return last


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1
