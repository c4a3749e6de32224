"""Every key and item of a text, with what its place says of it."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

from pipec.diagnostics import Route

Kind = Literal["header", "part", "table", "list", "text", "plain", "missing"]
"""What the value of an entry is. `header`: a table, as the last name of a header; `part`: a table,
as another name of a header or of a dotted key; `plain`: a number, a date, a truth value; `missing`:
nothing yet."""

Range = tuple[int, int]
"""Start and end, as byte offsets in the text's UTF-8."""

TABLES = frozenset({"header", "part", "table"})


class Entry(NamedTuple):
    """A key, or an item of a list, at one place of the text.

    An item has its value's range as its key's. The value of a header is all that stands under it.
    """

    route: Route
    kind: Kind
    key: Range
    value: Range
    text: str


class Outline:
    """The entries of a text, in its order. A table that is written in pieces has several."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries: Sequence[Entry] = tuple(entries)

    def at(self, route: Route) -> Sequence[Entry]:
        """The entries of one value."""
        return self._by_route.get(route, ())

    def names(self, route: Route) -> Sequence[str | int]:
        """The keys of a table or the indexes of a list, in the order of the text."""
        return tuple(self._children.get(route, ()))

    def value(self, route: Route, depth: int = 2) -> Any:
        """What stands at a route, as the readers would give it, only so deep.

        What is no text is a zero: whoever asks wants to know the looks of a value.
        """
        if route and not self.at(route):
            return None
        kinds = {entry.kind for entry in self.at(route)}
        if not route or kinds & TABLES:
            return self._table(route, depth)
        if "list" in kinds and depth == 0:
            return []
        if "list" in kinds:
            return [self.value((*route, name), depth - 1) for name in self.names(route)]
        last = self.at(route)[-1]
        return {"text": last.text, "plain": 0}.get(last.kind)

    def around(self, offset: int) -> Iterator[Entry]:
        """The entries whose key or value, or what is under them, holds an offset."""
        for entry in self.entries:
            if _holds(entry.key, offset) or _holds(entry.value, offset):
                yield entry

    def _table(self, route: Route, depth: int) -> dict[str, Any]:
        if depth == 0:
            return {}
        # A key without a name is one that is about to be written.
        return {
            name: self.value((*route, name), depth - 1)
            for name in self.names(route)
            if isinstance(name, str) and name
        }

    @cached_property
    def _by_route(self) -> dict[Route, list[Entry]]:
        by_route: dict[Route, list[Entry]] = {}
        for entry in self.entries:
            by_route.setdefault(entry.route, []).append(entry)
        return by_route

    @cached_property
    def _children(self) -> dict[Route, dict[str | int, None]]:
        children: dict[Route, dict[str | int, None]] = {}
        for route in self._by_route:
            children.setdefault(route[:-1], {})[route[-1]] = None
        return children


def _holds(span: Range, offset: int) -> bool:
    return span[0] <= offset <= span[1]
