"""Reads a YAML text block by block: what has not changed since the last time is not read again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import yaml

from pipec.diagnostics import Finding, Route
from pipec.frontend.byte_offsets import ByteOffsets
from pipec.frontend.document import BlockKey, BlockRead, Span
from pipec.frontend.yaml_blocks import Block, cut
from pipec.frontend.yaml_builder import Builder, Stop, syntax_error


@dataclass(frozen=True, slots=True)
class Read:
    """The values of a text, and where each stands."""

    values: dict[str, Any]
    places: Callable[[Route], Span | None]


def read_blocks(text: str, known: dict[BlockKey, BlockRead]) -> Read | None:
    """What a text says, read block by block; None if that is not possible, or it has mistakes.

    `known` is what was read of blocks before; afterwards it holds those of this text.
    """
    blocks = cut(text)
    if blocks is None:
        return None
    offset = ByteOffsets(text).at
    used: dict[BlockKey, BlockRead] = {}
    values: dict[str, Any] = {}
    places = _Places()
    for heading, group in groupby(blocks, lambda block: block.heading):
        table: dict[str, Any] = values
        above: Route = ()
        if heading is not None:
            if heading.key in values:
                return None
            table, above = values.setdefault(heading.key, {}), (heading.key,)
            start = offset(heading.start)
            places.begin(above, (start, start + heading.length))
        for block in group:
            key = (heading is not None, block.text)
            read = known.get(key) or _read_block(block)
            if read is None or not table.keys().isdisjoint(read.values):
                return None
            used[key] = read
            table.update(read.values)
            places.add(above, read, offset(block.start))
    known.clear()
    known.update(used)
    return Read(values, places.find)


def mistakes_of_blocks(text: str) -> list[Finding]:
    """A syntax error of each block that has one: none of them reaches into the next."""
    offset = ByteOffsets(text).at
    found: list[Finding] = []
    for block in cut(text) or ():
        try:
            Builder(block.text, outer=_outer(block)).build()
        except Stop:
            # An alias, for one, may be that of another block.
            continue
        except yaml.YAMLError as error:
            # Without the line end: where nothing closes a value, its end is what to look at.
            finding = syntax_error(block.text.rstrip(), error)
            found.append(_moved_finding(finding, offset(block.start)))
    return found


class _Places:
    """Where everything stands: tables of blocks by their routes, the rest by its block."""

    def __init__(self) -> None:
        self._keys: dict[Route, tuple[int, int]] = {}
        self._tables: dict[Route, tuple[int, int]] = {}
        self._owners: dict[Route, tuple[BlockRead, int]] = {}

    def begin(self, table: Route, key: tuple[int, int]) -> None:
        """A table has its key here."""
        self._keys[table] = key
        self._tables.setdefault((), key)

    def add(self, table: Route, read: BlockRead, start: int) -> None:
        """Entries of a table begin at a byte offset."""
        for above in {table, ()}:
            first = self._tables.get(above, (start + read.start, 0))[0]
            self._tables[above] = (first, start + read.end)
        self._owners.update(((*table, name), (read, start)) for name in read.values)

    def find(self, route: Route) -> Span | None:
        """The place of a value; None if there is none."""
        if route in self._tables:
            value = self._tables[route]
            return (*self._keys.get(route, value), *value)
        for depth in (2, 1):
            owner = self._owners.get(route[:depth]) if len(route) >= depth else None
            if owner is not None:
                span = owner[0].places.get(route[depth - 1 :])
                return None if span is None else _moved(span, owner[1])
        return None


def _read_block(block: Block) -> BlockRead | None:
    """What a block says by itself; None if it has mistakes, or speaks of other blocks."""
    builder = Builder(block.text, wanted=None, outer=_outer(block))
    try:
        values = builder.build()
    except yaml.YAMLError:
        return None
    if builder.findings or builder.has_anchors or not isinstance(values, dict):
        return None
    places = builder.spans()
    return BlockRead(values, places, places[()][2], places[()][3])


def _outer(block: Block) -> int:
    return 0 if block.heading is None else 1


def _moved(span: Span, by: int) -> Span:
    return span[0] + by, span[1] + by, span[2] + by, span[3] + by


def _moved_finding(finding: Finding, by: int) -> Finding:
    labels = (
        replace(label, span=(label.span[0] + by, label.span[1] + by)) if label.span else label
        for label in finding.labels
    )
    return replace(finding, labels=tuple(labels))
