"""A file of tables and lists with the line of everything in it, and a cursor that checks types."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.errors import SpecError
from pipec.frontend.document import Document
from pipec.importers.report import Place
from pipec.spec.scalars import describe

Range = tuple[int, int]
"""Half-open, in characters."""


@dataclass(slots=True)
class Tree:
    """What a file says; `places` has the range of each value's key, or of the value without one."""

    document: Document
    values: Any
    places: Mapping[Route, Range]
    findings: list[Finding] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)

    @property
    def top(self) -> "Node":
        """The whole of it."""
        return Node(self, (), self.values)

    def place(self, route: Route) -> Place:
        """The line of a value, or of the nearest one around it that has a line of its own."""
        if not self._starts:
            text = self.document.text
            self._starts = [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]
        start = self._range(route)[0]
        return Place(self.document.path, bisect_right(self._starts, start))

    def complain(self, route: Route, message: str) -> None:
        """Notes that a value is not what the format asks for."""
        start, end = (
            len(self.document.text[:at].encode(errors="replace")) for at in self._range(route)
        )
        label = Label(span=(start, end))
        self.findings.append(Finding(Code.WRONG_TYPE, message, (label,)))

    def raise_findings(self) -> None:
        """Ends the import if anything was not what the format asks for.

        Raises:
            SpecError: with all of that.
        """
        if self.findings:
            unique = dict.fromkeys(self.findings)
            ordered = sorted(unique, key=lambda finding: finding.labels[0].span or (0, 0))
            raise SpecError(ordered, document=self.document)

    def _range(self, route: Route) -> Range:
        for length in range(len(route), -1, -1):
            found = self.places.get(route[:length])
            if found is not None:
                return found
        return (0, 0)


@dataclass(frozen=True, slots=True)
class Node:
    """A value at its place. What is asked for and not there is None, or empty."""

    tree: Tree
    route: Route
    value: Any

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.tree.place(self.route)

    @property
    def key(self) -> str:
        """Its key in the table around it."""
        return str(self.route[-1]) if self.route else ""

    @property
    def is_table(self) -> bool:
        """Whether it is a table."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.value, list)

    @property
    def is_text(self) -> bool:
        """Whether it is text."""
        return isinstance(self.value, str)

    def get(self, *keys: str) -> "Node | None":
        """The member at these keys; None where there is none, or where it is null."""
        value, route = self.value, self.route
        for key in keys:
            if not isinstance(value, dict):
                self.tree.complain(route, f"{_named(route)} is a table, not {describe(value)}")
                return None
            value, route = value.get(key), (*route, key)
            if value is None:
                return None
        return Node(self.tree, route, value)

    def members(self) -> Iterator["Node"]:
        """The members of a table, in order; null members too."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield Node(self.tree, (*self.route, key), value)
        else:
            self._refuse("a table")

    def items(self) -> Iterator["Node"]:
        """The items of a list, in order."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield Node(self.tree, (*self.route, index), value)
        else:
            self._refuse("a list")

    def one_or_more(self) -> Iterator["Node"]:
        """The items of a list; anything else is its own only item."""
        return self.items() if self.is_list else iter((self,))

    def text(self) -> str:
        """The text; empty for anything else."""
        if isinstance(self.value, str):
            return self.value
        self._refuse("text")
        return ""

    def texts(self) -> list["Node"]:
        """The items of a list of texts."""
        return [item for item in self.items() if item.is_("text", str)]

    def scalar(self) -> str | None:
        """Text, or a number or truth value as text; None for anything else."""
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, (str, int, float)):
            return str(self.value)
        self._refuse("text or a number")
        return None

    def flag(self) -> bool:
        """The truth value; false for anything else."""
        return self.value is True if self.is_("true or false", bool) else False

    def is_(self, noun: str, kind: type) -> bool:
        """Whether the value is of a type; if not, that is a mistake of the file."""
        if isinstance(self.value, kind):
            return True
        self._refuse(noun)
        return False

    def _refuse(self, expected: str) -> None:
        self.tree.complain(
            self.route, f"{_named(self.route)} is {expected}, not {describe(self.value)}"
        )


def _named(route: Route) -> str:
    if not route:
        return "the file"
    if isinstance(route[-1], int):
        return f"an item of {_named(route[:-1])}"
    return f"`{route[-1]}`"
