"""Reads YAML as these tools do: empty values, merge keys and keys of any type, with places."""

from typing import Any

import yaml

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.errors import SpecError
from pipec.frontend.document import Document
from pipec.frontend.yaml_builder import size_up_to
from pipec.frontend.yaml_scalars import resolve
from pipec.importers.tree import Range, Tree

# The C parser is ten times faster; PyYAML can be built without it.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DEEPEST = 100
_MOST_COPIES = 100_000
_MERGE = "<<"


def read_yaml(document: Document) -> Tree:
    """The values of the first document in a YAML file. Of a repeated key the last value counts.

    Raises:
        SpecError: with the first syntax error.
    """
    reader = _Reader(document.text)
    try:
        values = reader.read()
    except yaml.YAMLError as error:
        raise SpecError([_problem(document, error)], document=document) from None
    return Tree(document, values, reader.places)


class _ProblemError(yaml.YAMLError):
    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.message = message


class _Reader:
    """Builds the values from the parser's events."""

    def __init__(self, text: str) -> None:
        self.places: dict[Route, Range] = {}
        self._parser = _Parser(text)
        self._anchors: dict[str, Any] = {}
        self._copies = 0

    def read(self) -> Any:
        try:
            while self._parser.check_event():
                event = self._parser.get_event()
                if isinstance(event, yaml.DocumentStartEvent):
                    return self._value(self._parser.get_event(), (), None)
        finally:
            self._parser.dispose()
        return None

    def _value(self, event: Any, route: Route, key: Range | None) -> Any:
        start = event.start_mark.index
        if len(route) > _DEEPEST:
            raise _ProblemError(start, f"tables and lists stand more than {_DEEPEST} deep")
        value: Any
        if isinstance(event, yaml.AliasEvent):
            value = self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._table(route)
        else:
            value = self._list(route)
        if getattr(event, "anchor", None) is not None and not isinstance(event, yaml.AliasEvent):
            self._anchors[event.anchor] = value
        self.places[route] = key or (start, event.end_mark.index)
        return value

    def _table(self, route: Route) -> dict[str, Any]:
        table: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while True:
            event = self._parser.get_event()
            if isinstance(event, yaml.MappingEndEvent):
                return {**merged, **table}
            place = (event.start_mark.index, event.end_mark.index)
            if not isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
                raise _ProblemError(place[0], "a key has to be text")
            is_merge = isinstance(event, yaml.ScalarEvent) and event.value == _MERGE
            key = event.value if isinstance(event, yaml.ScalarEvent) else str(self._alias(event))
            value = self._value(self._parser.get_event(), (*route, key), place)
            if is_merge:
                for source in value if isinstance(value, list) else [value]:
                    if isinstance(source, dict):
                        merged = {**source, **merged}
            else:
                table[key] = value

    def _list(self, route: Route) -> list[Any]:
        items: list[Any] = []
        while True:
            event = self._parser.get_event()
            if isinstance(event, yaml.SequenceEndEvent):
                return items
            items.append(self._value(event, (*route, len(items)), None))

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise _ProblemError(event.start_mark.index, f"there is no anchor `{event.anchor}`")
        value = self._anchors[event.anchor]
        self._copies += size_up_to(value, _MOST_COPIES)
        if self._copies > _MOST_COPIES:
            message = f"aliases add more than {_MOST_COPIES:,} values to the document"
            raise _ProblemError(event.start_mark.index, message)
        return value


def _scalar(event: Any) -> Any:
    text = event.value
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        message = "a text cannot hold a NUL character or half of a surrogate pair"
        raise _ProblemError(event.start_mark.index, message)
    return resolve(text) if event.implicit[0] and event.tag is None else text


def _problem(document: Document, error: yaml.YAMLError) -> Finding:
    if isinstance(error, _ProblemError):
        at, message = error.at, error.message
    else:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        at = mark.index if mark is not None else getattr(error, "position", 0)
        message = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
    start = len(document.text[:at].encode(errors="replace"))
    return Finding(
        Code.IMPORT_SYNTAX,
        f"`{document.path}` is not YAML: {message}",
        (Label(span=(start, start)),),
    )
