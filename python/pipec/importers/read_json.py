"""Reads JSON with comments and trailing commas, with the place of every value."""

import json
import re
from typing import Any

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.errors import SpecError
from pipec.frontend.document import Document
from pipec.importers.tree import Range, Tree

_DEEPEST = 100
_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z]+")
_WORDS = {"true": True, "false": False, "null": None}
_LONGEST_NUMBER = 40


def read_json(document: Document) -> Tree:
    """The values of a JSON document. Of a repeated key the last value counts.

    Raises:
        SpecError: with the first syntax error.
    """
    reader = _Reader(document.text)
    try:
        values = reader.read()
    except _ProblemError as problem:
        start = len(document.text[: problem.at].encode(errors="replace"))
        finding = Finding(
            Code.IMPORT_SYNTAX,
            f"`{document.path}` is not JSON: {problem.message}",
            (Label(span=(start, start)),),
        )
        raise SpecError([finding], document=document) from None
    return Tree(document, values, reader.places)


class _ProblemError(Exception):
    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.message = message


class _Reader:
    def __init__(self, text: str) -> None:
        self.places: dict[Route, Range] = {}
        self._text = text
        self._at = 0

    def read(self) -> Any:
        value = self._value((), None)
        self._skip()
        if self._at < len(self._text):
            raise _ProblemError(self._at, "something follows the end")
        return value

    def _value(self, route: Route, key: Range | None) -> Any:
        self._skip()
        start = self._at
        character = self._text[start : start + 1]
        value: Any
        if character in ("{", "["):
            if len(route) >= _DEEPEST:
                raise _ProblemError(start, f"tables and lists stand more than {_DEEPEST} deep")
            value = self._table(route) if character == "{" else self._list(route)
        elif character == '"':
            value = self._string()
        else:
            value = self._bare()
        self.places[route] = key or (start, self._at)
        return value

    def _table(self, route: Route) -> dict[str, Any]:
        table: dict[str, Any] = {}
        self._at += 1
        while not self._takes("}"):
            start = self._at
            if self._text[start : start + 1] != '"':
                raise _ProblemError(start, "expected a key in quotes, or `}`")
            key = self._string()
            place = (start, self._at)
            if not self._takes(":"):
                raise _ProblemError(self._at, "expected `:`")
            table[key] = self._value((*route, key), place)
            if not self._takes(",") and self._peek() != "}":
                raise _ProblemError(self._at, "expected `,` or `}`")
        return table

    def _list(self, route: Route) -> list[Any]:
        items: list[Any] = []
        self._at += 1
        while not self._takes("]"):
            items.append(self._value((*route, len(items)), None))
            if not self._takes(",") and self._peek() != "]":
                raise _ProblemError(self._at, "expected `,` or `]`")
        return items

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if found is None:
            raise _ProblemError(self._at, "this text does not end on its line")
        try:
            value = str(json.loads(found.group()))
            value.encode()
        except ValueError:
            raise _ProblemError(self._at, "unknown escape") from None
        if "\0" in value:
            raise _ProblemError(self._at, "a text cannot hold a NUL character")
        self._at = found.end()
        return value

    def _bare(self) -> Any:
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            text = number.group()
            is_whole = text.lstrip("-").isdigit() and len(text) <= _LONGEST_NUMBER
            return int(text) if is_whole else float(text)
        word = _WORD.match(self._text, self._at)
        if word is None or word.group() not in _WORDS:
            raise _ProblemError(self._at, "expected a value")
        self._at = word.end()
        return _WORDS[word.group()]

    def _takes(self, character: str) -> bool:
        self._skip()
        if self._peek() != character:
            return False
        self._at += 1
        self._skip()
        return True

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        found = _BLANK.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
