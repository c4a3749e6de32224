"""JSON with comments and trailing commas, read for its values and where they stand."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<line_comment>//[^\r\n]*)
    |(?P<comment>/\*.*?\*/)
    |(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")
    |(?P<punctuation>[{}\[\]:,])
    |(?P<literal>[^\s{}\[\]:,"/]+)""",
    re.VERBOSE | re.DOTALL,
)
_DEEPEST = 500
"""Deeper than any manifest, and not so deep that Python's own reader gives up."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text, from `start` to `end`."""

    kind: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Member:
    """A key with its value. `space` is where the white space before the key begins.

    `comma` is where the comma after the value stands, if there is one; `follows_line_comment`: a
    comment up to the end of its line is the last thing before.
    """

    key: str
    space: int
    key_start: int
    key_end: int
    value_start: int
    value_end: int
    comma: int | None
    comma_before: int | None
    follows_line_comment: bool


@dataclass(frozen=True, slots=True)
class Table:
    """An object: from its opening brace at `start` up to `end`, behind its closing one."""

    start: int
    end: int
    members: tuple[Member, ...]

    def find(self, key: str) -> int | None:
        """The number of the member with this key."""
        return next((i for i, member in enumerate(self.members) if member.key == key), None)


class Jsonc:
    """A text, its tokens and its values.

    Raises:
        ValueError: it is not JSON, even with comments; the text says why and where.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tuple(_tokens(text))
        self.values = self._read()

    def table(self, route: Sequence[str]) -> Table:
        """The object at a route of keys, which has to be there."""
        index = self._skip(0)
        for key in route:
            value = next(at for member, at in self._members(index) if member.key == key)
            index = value
        members = tuple(member for member, _ in self._members(index))
        return Table(self._tokens[index].start, self._tokens[self._close(index)].end, members)

    def _read(self) -> Any:
        kept: list[str] = []
        depth = 0
        for token in self._tokens:
            if token.kind in {"line_comment", "comment"}:
                # White space instead, so that an error is told at its place.
                kept.append(re.sub(r"[^\r\n]", " ", token.text))
                continue
            depth += (token.text in "{[") - (token.text in "}]")
            if depth > _DEEPEST:
                raise ValueError("it is nested too deeply")
            kept.append(token.text)
        for index, token in enumerate(self._tokens):
            after = self._skip(index + 1)
            if token.text == "," and token.kind == "punctuation" and after < len(self._tokens):
                before = self._skip_back(index - 1)
                is_after_value = before >= 0 and self._tokens[before].text not in ("[", "{", ",")
                if self._tokens[after].text in ("}", "]") and is_after_value:
                    kept[index] = " "
        try:
            return json.loads("".join(kept), object_pairs_hook=_unique)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {error.lineno}: {error.msg}") from None

    def _members(self, opening: int) -> Iterator[tuple[Member, int]]:
        """The members of the object that opens at a token, with the token of each value."""
        index, comma_before = self._skip(opening + 1), None
        while self._tokens[index].text != "}":
            key, value = index, self._skip(self._skip(index + 1) + 1)
            last = self._close(value)
            after = self._skip(last + 1)
            comma = self._tokens[after].start if self._tokens[after].text == "," else None
            before = self._tokens[key - 1]
            ahead = self._tokens[key - 2] if before.kind == "space" else before
            yield (
                Member(
                    key=json.loads(self._tokens[key].text),
                    space=before.start if before.kind == "space" else self._tokens[key].start,
                    key_start=self._tokens[key].start,
                    key_end=self._tokens[key].end,
                    value_start=self._tokens[value].start,
                    value_end=self._tokens[last].end,
                    comma=comma,
                    comma_before=comma_before,
                    follows_line_comment=ahead.kind == "line_comment",
                ),
                value,
            )
            comma_before = comma
            index = after if comma is None else self._skip(after + 1)

    def _skip(self, index: int) -> int:
        """The first token from here on that is more than space or comment."""
        while index < len(self._tokens) and self._tokens[index].kind in _NOTHING:
            index += 1
        return index

    def _skip_back(self, index: int) -> int:
        while index >= 0 and self._tokens[index].kind in _NOTHING:
            index -= 1
        return index

    def _close(self, index: int) -> int:
        """The last token of the value that begins here."""
        depth = 0
        while True:
            text = self._tokens[index].text
            depth += (text in ("{", "[")) - (text in ("}", "]"))
            if depth == 0:
                return index
            index += 1


_NOTHING = frozenset({"space", "line_comment", "comment"})


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            line = text.count("\n", 0, position) + 1
            raise ValueError(f"line {line}: there is something that is no JSON")
        assert found.lastgroup is not None
        yield Token(found.lastgroup, position, found.end(), found.group())
        position = found.end()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key `{twice}` is there twice")
    return table
