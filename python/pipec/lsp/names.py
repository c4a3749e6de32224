"""The names of a file: where each is given, and where it is used. Works on half-written files."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipec.diagnostics import Route
from pipec.frontend.outline.entries import Range

Kind = Literal[
    "task",
    "member task",
    "job",
    "trigger",
    "named input",
    "pool",
    "store",
    "agent",
    "profile",
    "sandbox",
    "source",
]

Path = tuple[str, ...]
"""What leads to a name in its section: the groups around a task, then its key."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a name stands.

    `path` is None when the name means nothing. `range` is the name alone: one part of a dotted
    reference, without quotes. `needs_quotes`: the name is spelled with escapes, and `range` holds
    its quotes. `route` is the place of the key or of the reference.
    """

    kind: Kind
    path: Path | None
    range: Range
    route: Route
    is_definition: bool = False
    needs_quotes: bool = False


class Names:
    """All names of one text."""

    def __init__(
        self,
        occurrences: Sequence[Occurrence],
        *,
        tasks: Mapping[str, Route],
        member_tasks: Mapping[str, Route],
        named: Mapping[Kind, Mapping[str, Route]],
    ) -> None:
        """`tasks` holds the route of each task by its id, `named` that of all else by its name."""
        self.occurrences = sorted(occurrences, key=lambda one: one.range)
        self.tasks = tasks
        self._named: dict[Kind, Mapping[str, Route]] = {
            **named,
            "task": tasks,
            "member task": member_tasks,
        }

    def of(self, kind: Kind) -> Mapping[str, Route]:
        """The names of a kind, each with the route of its table or value."""
        return self._named.get(kind, {})

    def at(self, offset: int) -> Occurrence | None:
        """The name at a byte offset, or the one that ends there."""
        starts = [one.range[0] for one in self.occurrences]
        for index in range(bisect_right(starts, offset) - 1, -1, -1):
            one = self.occurrences[index]
            if one.range[0] <= offset <= one.range[1]:
                return one
            if one.range[1] < offset:
                return None
        return None

    def same(self, name: Occurrence) -> Iterator[Occurrence]:
        """Every place of the same name, in the order of the text."""
        for one in self.occurrences:
            if one.path is not None and (one.kind, one.path) == (name.kind, name.path):
                yield one

    def definition_of(self, name: Occurrence) -> Route | None:
        """The route of what a name stands for: of a group that is a task too, that task's."""
        if name.path is None:
            return None
        route = self.of(name.kind).get(".".join(name.path))
        if name.is_definition or route is None:
            places = (one.route for one in self.same(name) if one.is_definition)
            return next(places, route)
        return route
