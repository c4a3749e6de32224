"""The outline of a YAML text, from the events of PyYAML's parser.

Where the parser stops, what it stops at is taken out of its sight, and it begins anew: spaces stand
in its place, so that everything else stays where it is.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import yaml

from pipec.diagnostics import Route
from pipec.frontend.byte_offsets import ByteOffsets
from pipec.frontend.outline.entries import Entry, Kind, Outline
from pipec.frontend.yaml_blocks import UNREADABLE, Block, Heading, cut
from pipec.frontend.yaml_scalars import resolve

PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MOST_MENDED = 16
_DEEPEST = 100
_OPEN_BRACKET = re.compile(r"[\[{][^\]}\n]*\Z")
_BEGINNINGS = (
    "while scanning a simple key",
    "while scanning a quoted scalar",
    "while parsing a flow",
)
"""Mistakes that are noticed far behind the place where they were made."""
_NOT_ALLOWED = "mapping values are not allowed"


@dataclass(frozen=True, slots=True)
class BlockEntries:
    """The entries of a block: where it stands by itself, and where it stood last."""

    alone: Sequence[Entry]
    start: int
    here: Sequence[Entry]


KnownBlocks = dict[tuple[str, str], BlockEntries]
"""By the key that the block stands under, empty for none, and its text."""


def outline_yaml(text: str, known: KnownBlocks | None = None) -> Outline:
    """The entries of a YAML text, as far as it can be understood.

    `known` is what earlier versions of the text had; afterwards it holds what this one has.
    """
    blocks = cut(text)
    if blocks is None:
        return Outline(_outline_whole(text))
    known = {} if known is None else known
    used: KnownBlocks = {}
    entries: list[Entry] = []
    offset = ByteOffsets(text).at
    for heading, group in groupby(blocks, lambda block: block.heading):
        name = heading.key if heading else ""
        below: list[Entry] = []
        for block in group:
            found = _place(known.get((name, block.text)), block, name, offset(block.start))
            used[name, block.text] = found
            below += found.here
        if heading is not None:
            start = offset(heading.start)
            entries.append(_table_entry(heading, start, below))
        entries += below
    known.clear()
    known.update(used)
    return Outline(entries)


def _place(known: BlockEntries | None, block: Block, name: str, start: int) -> BlockEntries:
    """The entries of a block that begins at this byte offset."""
    if known is not None and known.start == start:
        return known
    alone = tuple(_outline_whole(block.text)) if known is None else known.alone
    above: Route = (name,) if name else ()
    here = [
        Entry(
            (*above, *route),
            kind,
            (key[0] + start, key[1] + start),
            (value[0] + start, value[1] + start),
            text,
        )
        for route, kind, key, value, text in alone
    ]
    return BlockEntries(alone, start, here)


def _table_entry(heading: Heading, start: int, below: Sequence[Entry]) -> Entry:
    """The entry of a table whose entries are blocks."""
    end = start + heading.length
    first = below[0].key[0] if below else end
    last = max((max(entry.key[1], entry.value[1]) for entry in below), default=end)
    return Entry((heading.key,), "table", (start, end), (first, last), "")


def _outline_whole(text: str) -> Iterator[Entry]:
    seen = UNREADABLE.sub(" ", text)
    writer = _Writer(text)
    for _ in range(_MOST_MENDED):
        writer = _Writer(text)
        try:
            for event in parse_events(seen):
                writer.take(event)
        except yaml.YAMLError as error:
            mended = _mend(seen, error)
            if mended is None:
                break
            seen = mended
        else:
            break
    return writer.finish()


def outline_yaml_start(text: str) -> Outline:
    """The entries of a YAML text up to where it cannot be read further, all that is open closed."""
    writer = _Writer(text)
    with suppress(yaml.YAMLError):
        for event in parse_events(UNREADABLE.sub(" ", text)):
            writer.take(event)
    return Outline(writer.finish())


def parse_events(text: str) -> Iterator[Any]:
    """The events of a text, up to where it cannot be read further.

    Raises:
        yaml.YAMLError: it cannot be read further.
    """
    parser = PARSER(text)
    try:
        # Quicker than to ask whether there is one before each.
        yield from iter(parser.get_event, None)
    finally:
        parser.dispose()


def _mend(text: str, error: yaml.YAMLError) -> str | None:
    """The text without what the parser stopped at; None if nothing is left to take out."""
    context = str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None)
    if context.startswith(_BEGINNINGS):
        mark = getattr(error, "context_mark", None) or mark
    if mark is None:
        return None
    start = min(int(mark.index), len(text))
    if _NOT_ALLOWED in str(getattr(error, "problem", "")):
        start = _half_written_key(text, start)
    end = _line_end(text, start)
    if not text[start:end].strip():
        # What is to blame stands before: the rest of this line, or of the last one with anything.
        end = len(text[:start].rstrip())
        start = text.rfind("\n", 0, end) + 1
        if (bracket := _OPEN_BRACKET.search(text, start, end)) is not None:
            start = bracket.start()
    if not text[start:end].strip():
        return None
    return text[:start] + " " * (end - start) + text[end:]


def _half_written_key(text: str, index: int) -> int:
    """The start of the key without a colon that stands right above a key, else `index`."""
    start = text.rfind("\n", 0, index) + 1
    above = text[:start].rstrip()
    above_start = above.rfind("\n") + 1
    line, line_above = text[start:index], above[above_start:]
    indents = [len(one) - len(one.lstrip()) for one in (line, line_above)]
    return above_start if indents[0] == indents[1] and ":" not in line_above else index


def _line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end


@dataclass(slots=True)
class _Open:
    """A table or list whose end has not come yet."""

    route: Route
    entry: int
    is_list: bool
    count: int = 0
    key: str | None = None
    key_place: tuple[int, int] = (0, 0)


class _Writer:
    """Writes down the entries of one document, places in characters."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._entries: list[list[Any]] = []
        self._open: list[_Open] = []
        self._end = 0

    def take(self, event: Any) -> None:
        kind = type(event)
        place = event.start_mark.index, event.end_mark.index
        if kind is yaml.ScalarEvent:
            self._scalar(event, place)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._begin(place, is_list=kind is yaml.SequenceStartEvent)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            is_flow = place[1] > place[0]
            self._finish_value(place[1] if is_flow else self._end)
        elif kind is yaml.AliasEvent:
            self._value("plain", place, "")
        elif kind is yaml.DocumentStartEvent and self._entries:
            # A pipeline is one document.
            raise yaml.YAMLError

    def finish(self) -> Iterator[Entry]:
        while self._open:
            self._finish_value(self._end)
        if self._text.isascii():
            yield from map(Entry._make, self._entries)
            return
        offsets = ByteOffsets(self._text).at
        for route, kind, key, value, text in self._entries:
            places = (offsets(key[0]), offsets(key[1])), (offsets(value[0]), offsets(value[1]))
            yield Entry(route, kind, *places, text)

    def _scalar(self, event: Any, place: tuple[int, int]) -> None:
        self._end = max(self._end, place[1])
        parent = self._open[-1] if self._open else None
        if parent is not None and not parent.is_list and parent.key is None:
            parent.key, parent.key_place = event.value, place
            return
        if not event.implicit[0]:
            self._value("text", place, event.value)
            return
        value = resolve(event.value)
        kind: Kind = "text" if isinstance(value, str) else "plain"
        if not event.value:
            kind = "missing"
        self._value(kind, place, event.value if kind == "text" else "")

    def _value(self, kind: Kind, place: tuple[int, int], text: str) -> Route:
        if not self._open:
            # The whole document: it has no route that anything could be said of.
            return ()
        parent = self._open[-1]
        if parent.is_list:
            route: Route = (*parent.route, parent.count)
            parent.count += 1
            key = place
        elif parent.key is None:
            # A list or table as a key: nothing here has one.
            raise yaml.YAMLError
        else:
            route, key = (*parent.route, parent.key), parent.key_place
            parent.key = None
        self._entries.append([route, kind, key, place, text])
        return route

    def _begin(self, place: tuple[int, int], *, is_list: bool) -> None:
        if len(self._open) >= _DEEPEST:
            raise yaml.YAMLError
        has_entry = bool(self._open)
        route = self._value("list" if is_list else "table", place, "")
        self._open.append(_Open(route, len(self._entries) - 1 if has_entry else -1, is_list))

    def _finish_value(self, end: int) -> None:
        self._end = max(self._end, end)
        closed = self._open.pop()
        if closed.key is not None:
            self._entries.append(
                [(*closed.route, closed.key), "missing", closed.key_place, (end, end), ""]
            )
        if closed.entry >= 0:
            value = self._entries[closed.entry][3]
            entry = self._entries[closed.entry]
            entry[3] = (value[0], max(end, value[0]))
            if isinstance(closed.route[-1], int):
                entry[2] = entry[3]
