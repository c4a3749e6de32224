"""Evaluates expressions of GitHub Actions after GitHub's documentation; knows nothing of pipec's.

Only what conditions need: literals, contexts, `!`, `==`, `!=`, `&&`, `||`, brackets, and functions:
`startsWith`, `endsWith`, `contains`, `fromJSON`, `always`, `cancelled`, `failure`, `success`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)"
    r"|(?P<sign>&&|\|\||==|!=|[!().,\[\]*]))"
)


def evaluate(condition: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression, with or without `${{ }}` around it."""
    text = condition.strip()
    if text.startswith("${{") and text.endswith("}}"):
        text = text[3:-2]
    reader = Reader(text, context)
    value = reader.either()
    assert reader.kind == "end", f"left over in {condition!r}: {reader.value!r}"
    return value


def is_true(value: Any) -> bool:
    """What counts as true: not `false`, `0`, `''` or `null`."""
    return value not in (False, 0, "", None)


def are_equal(left: Any, right: Any) -> bool:
    """Equality of GitHub: strings without case; of different types numbers are compared."""
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() == right.upper()
    if type(left) is type(right):
        return left == right
    numbers = to_number(left), to_number(right)
    return numbers[0] is not None and numbers[0] == numbers[1]


def to_number(value: Any) -> float | None:
    if value is None or value == "":
        return 0
    if isinstance(value, (bool, int, float)):
        return float(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


class Reader:
    """Reads and evaluates from left to right; both sides are always read."""

    def __init__(self, text: str, context: Mapping[str, Any]) -> None:
        self._text = text
        self._context = context
        self._at = 0
        self._advance()

    def either(self) -> Any:
        value = self._both()
        while self._took("||"):
            other = self._both()
            value = value if is_true(value) else other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._took("&&"):
            other = self._compared()
            value = other if is_true(value) else value
        return value

    def _compared(self) -> Any:
        value = self._single()
        while self.value in ("==", "!=") and self.kind == "sign":
            is_equality = self.value == "=="
            self._advance()
            value = are_equal(value, self._single()) == is_equality
        return value

    def _single(self) -> Any:
        if self._took("!"):
            return not is_true(self._single())
        if self._took("("):
            value = self.either()
            assert self._took(")")
            return value
        kind, text = self.kind, self.value
        self._advance()
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text)
        assert kind == "name", f"unexpected {text!r}"
        if self._took("("):
            arguments = []
            while not self._took(")"):
                arguments.append(self.either())
                self._took(",")
            return self._call(text, arguments)
        return self._looked_up(text)

    def _looked_up(self, name: str) -> Any:
        if name in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[name]
        value: Any = self._context.get(name)
        while self._took("."):
            member = self.value
            self._advance()
            value = value.get(member) if isinstance(value, Mapping) else None
        return value

    def _call(self, name: str, arguments: list[Any]) -> Any:
        lowered = name.lower()
        if lowered in ("always", "cancelled", "failure", "success"):
            return self._context["status"][lowered]
        if lowered == "fromjson":
            return json.loads(arguments[0])
        where, what = arguments
        if lowered == "contains" and isinstance(where, list):
            return any(are_equal(item, what) for item in where)
        texts = str(where or "").upper(), str(what or "").upper()
        if lowered == "contains":
            return texts[1] in texts[0]
        return {"startswith": str.startswith, "endswith": str.endswith}[lowered](*texts)

    def _took(self, sign: str) -> bool:
        if (self.kind, self.value) != ("sign", sign):
            return False
        self._advance()
        return True

    def _advance(self) -> None:
        rest = self._text[self._at :]
        if not rest.strip():
            self.kind, self.value = "end", ""
            return
        found = TOKEN.match(rest)
        assert found is not None, f"cannot read {rest!r}"
        self._at += found.end()
        assert found.lastgroup is not None
        self.kind, self.value = found.lastgroup, found[found.lastgroup]
