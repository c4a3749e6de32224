"""Builds the value of a YAML 1.2 text (core schema) from the events of PyYAML's parser.

The values are built while the events arrive, so that a large file costs no tree of nodes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.byte_offsets import ByteOffsets
from pipec.frontend.document import Span
from pipec.frontend.yaml_scalars import resolve

# The C parser is ten times faster; PyYAML can be built without it.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DEEPEST = 100
_MOST_COPIES = 100_000
"""How many values aliases may add: a few lines of nested aliases could spell billions."""

_STRING_TAG = "tag:yaml.org,2002:str"
_ANY_TAG = "!"
_CORE_TAGS = {
    "tag:yaml.org,2002:map": dict,
    "tag:yaml.org,2002:seq": list,
}
_SCALAR_TAGS = {
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:null": type(None),
}


Place = tuple[int, int, int, int]
"""As `Span`, in characters."""


@dataclass(slots=True)
class _Open:
    """A table or list whose end has not come yet."""

    value: Any
    route: Route
    start: int
    anchor: str | None
    key: Any = None
    has_key: bool = False
    key_start: int = 0
    key_end: int = 0
    own_key: tuple[int, int] | None = None
    key_places: dict[str, tuple[int, int]] = field(default_factory=dict)


class Stop(yaml.YAMLError):
    """Ends the parsing at a finding after which nothing more can be said."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding


class Builder:
    """Builds the value of one document; keeps the places of the wanted routes."""

    def __init__(
        self, text: str, wanted: frozenset[Route] | None = frozenset(), *, outer: int = 0
    ) -> None:
        """`wanted`: the routes whose places are kept; None for all of them. `outer`: how many
        tables the text stands in."""
        self._deepest = _DEEPEST - outer
        self.findings: list[Finding] = []
        self.places: dict[Route, Place] = {}
        self._text = text
        self._wants = (lambda _: True) if wanted is None else wanted.__contains__
        self._offsets: ByteOffsets | None = None
        self._anchors: dict[str, Any] = {}
        self.has_anchors = False
        self._open: list[_Open] = []
        self._copies = 0
        self._result: Any = None
        self._has_result = False

    def build(self) -> Any:
        """The value of the only document.

        Raises:
            yaml.YAMLError: the text cannot be read further.
        """
        for event in self._events():
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._begin(event, {})
            elif kind is yaml.SequenceStartEvent:
                self._begin(event, [])
            elif kind in {yaml.MappingEndEvent, yaml.SequenceEndEvent}:
                self._end(event)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._document(event)
        return self._result

    def spans(self) -> Mapping[Route, Span]:
        """The places in bytes."""
        if self._text.isascii():
            return self.places
        at = ByteOffsets(self._text).at
        return {
            route: (at(place[0]), at(place[1]), at(place[2]), at(place[3]))
            for route, place in self.places.items()
        }

    def _events(self) -> Iterator[Any]:
        parser = _Parser(self._text)
        try:
            # Quicker than to ask whether there is one before each.
            yield from iter(parser.get_event, None)
        finally:
            parser.dispose()

    def _document(self, event: Any) -> None:
        if self._has_result:
            message = "a pipeline is one document, and here a second one begins"
            raise self._stop(Code.YAML_SYNTAX, message, event)

    def _scalar(self, event: Any) -> None:
        text = event.value
        tag = event.tag
        if tag is None:
            # `implicit[0]`: written without quotes.
            value = resolve(text) if event.implicit[0] else text
        elif tag in {_STRING_TAG, _ANY_TAG}:
            value = text
        else:
            value = resolve(text)
            if tag not in _SCALAR_TAGS or type(value) is not _SCALAR_TAGS[tag]:
                self._report(Code.YAML_SYNTAX, f"the tag `{_shown(tag)}` does not fit here", event)
        if event.anchor is not None:
            self.has_anchors = True
            self._anchors[event.anchor] = value
        self._add(value, event)

    def _begin(self, event: Any, value: Any) -> None:
        if len(self._open) >= self._deepest:
            message = f"tables and lists stand in each other more than {_DEEPEST} deep"
            raise self._stop(Code.YAML_SYNTAX, message, event)
        if event.tag not in {None, _ANY_TAG} and _CORE_TAGS.get(event.tag) is not type(value):
            self._report(
                Code.YAML_SYNTAX, f"the tag `{_shown(event.tag)}` does not fit here", event
            )
        route, own_key = self._next_place(value, event)
        start = event.start_mark.index
        self._open.append(_Open(value, route, start, event.anchor, own_key=own_key))

    def _end(self, event: Any) -> None:
        closed = self._open.pop()
        if self._wants(closed.route):
            # A block ends where the next thing begins: point at its last line, not at what follows.
            end = event.end_mark.index
            while end > closed.start and self._text[end - 1].isspace():
                end -= 1
            key = closed.own_key or (closed.start, end)
            self.places[closed.route] = (*key, closed.start, end)
        if closed.anchor is not None:
            self.has_anchors = True
            self._anchors[closed.anchor] = closed.value
        self._put(closed.value)

    def _alias(self, event: Any) -> None:
        self.has_anchors = True
        if event.anchor not in self._anchors:
            message = f"the alias `*{event.anchor}` refers to an anchor that is not there"
            raise self._stop(Code.YAML_SYNTAX, message, event)
        value = self._anchors[event.anchor]
        self._copies += size_up_to(value, _MOST_COPIES)
        if self._copies > _MOST_COPIES:
            message = f"aliases add more than {_MOST_COPIES:,} values to the document"
            raise self._stop(Code.YAML_SYNTAX, message, event)
        self._add(value, event)

    def _add(self, value: Any, event: Any) -> None:
        """Takes a finished scalar or alias, as a key or as a value."""
        parent = self._open[-1] if self._open else None
        if parent is not None and isinstance(parent.value, dict) and not parent.has_key:
            self._key(parent, value, event)
            return
        route, own_key = self._next_place(value, event)
        if self._wants(route):
            place = (event.start_mark.index, event.end_mark.index)
            self.places[route] = (*(own_key or place), *place)
        self._put(value)

    def _key(self, parent: _Open, key: Any, event: Any) -> None:
        place = (event.start_mark.index, event.end_mark.index)
        if key == "<<" and event.__class__ is yaml.ScalarEvent and event.implicit[0]:
            message = "merge keys (`<<`) are not part of YAML 1.2"
            advice = "write the keys out, or use `task-defaults`"
            self._report(Code.YAML_SYNTAX, message, event, advice=advice)
        elif not isinstance(key, str):
            message = f"a key has to be text, and this one is {described(key)}"
            advice = f'put it in quotes: `"{self._text[slice(*place)]}"`'
            self._report(Code.WRONG_TYPE, message, event, advice=advice)
        elif key in parent.value:
            self._report_repeated(parent, key, place)
        parent.key, parent.has_key = key, True
        parent.key_start, parent.key_end = place
        if isinstance(key, str):
            parent.key_places.setdefault(key, place)

    def _next_place(self, value: Any, event: Any) -> tuple[Route, tuple[int, int] | None]:
        """The route of the value that comes next, and where its key stands if it has one."""
        if not self._open:
            self._has_result = True
            return (), None
        parent = self._open[-1]
        if isinstance(parent.value, list):
            if value is None:
                self._report(Code.WRONG_TYPE, "an item of this list is empty", event)
            return (*parent.route, len(parent.value)), None
        if not parent.has_key:
            raise self._stop(Code.WRONG_TYPE, "a key has to be text, not a list or table", event)
        if value is None:
            self._report_nothing(parent)
        return (*parent.route, parent.key), (parent.key_start, parent.key_end)

    def _put(self, value: Any) -> None:
        if not self._open:
            self._result = value
            return
        parent = self._open[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
            return
        # Of a repeated key the first value stays; both places have been reported.
        if parent.key.__hash__ is not None:
            parent.value.setdefault(parent.key, value)
        parent.has_key = False

    def _report(self, code: Code, message: str, event: Any, *, advice: str = "") -> None:
        place = (event.start_mark.index, max(event.end_mark.index, event.start_mark.index))
        label = Label(span=self._bytes(place))
        self.findings.append(Finding(code, message, (label,), (advice,) if advice else ()))

    def _report_nothing(self, parent: _Open) -> None:
        self.findings.append(
            Finding(
                Code.WRONG_TYPE,
                f"`{parent.key}` has no value",
                (Label(span=self._bytes((parent.key_start, parent.key_end))),),
                ("leave the key out, or write `{}` for an empty table",),
            )
        )

    def _report_repeated(self, parent: _Open, key: str, place: tuple[int, int]) -> None:
        first = Label(text="first written here", span=self._bytes(parent.key_places[key]))
        again = Label(text="written again", span=self._bytes(place))
        message = f"the key `{key}` is written twice in one table"
        self.findings.append(Finding(Code.REPEATED_KEY, message, (again, first)))

    def _stop(self, code: Code, message: str, event: Any) -> Stop:
        place = (event.start_mark.index, event.end_mark.index)
        return Stop(Finding(code, message, (Label(span=self._bytes(place)),)))

    def _bytes(self, place: tuple[int, int]) -> tuple[int, int]:
        if self._offsets is None:
            self._offsets = ByteOffsets(self._text)
        return self._offsets.at(place[0]), self._offsets.at(place[1])


def size_up_to(value: Any, limit: int) -> int:
    """How many values a value holds, itself included; stops counting soon after `limit`."""
    count = 0
    pending = [value]
    while pending and count <= limit:
        member = pending.pop()
        count += 1
        if isinstance(member, dict):
            pending.extend(member.values())
        elif isinstance(member, list):
            pending.extend(member)
    return count


def syntax_error(text: str, error: yaml.YAMLError) -> Finding:
    """What the parser stopped at, in words, and where."""
    if isinstance(error, Stop):
        return error.finding
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
    index = min(mark.index if mark is not None else getattr(error, "position", 0), len(text))
    offset = ByteOffsets(text).at(index)
    line_start = text.rfind("\n", 0, index) + 1
    line = text[line_start:].split("\n", 1)[0]
    indentation = line[: len(line) - len(line.lstrip())]
    if "\t" in indentation:
        tab = ByteOffsets(text).at(line_start + indentation.index("\t"))
        return Finding(
            Code.YAML_SYNTAX,
            "a tab cannot indent YAML",
            (Label(span=(tab, tab + 1)),),
            ("indent with spaces",),
        )
    message = str(problem)
    context = getattr(error, "context", None)
    if context:
        message = f"{context}: {message}"
    return Finding(Code.YAML_SYNTAX, message, (Label(span=(offset, offset)),))


def described(value: Any) -> str:
    """What kind of value it is, for a message."""
    names = {
        bool: "a truth value",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a table",
    }
    return "nothing" if value is None else names.get(type(value), "text")


def _shown(tag: str) -> str:
    prefix = "tag:yaml.org,2002:"
    return f"!!{tag.removeprefix(prefix)}" if tag.startswith(prefix) else tag
