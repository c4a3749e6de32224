"""Prints plain values as YAML that version 1.1 and 1.2 read alike, the same bytes every time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./@+()\-]*(?: [A-Za-z0-9_./@+()\-]+)*", re.ASCII)
_DOTTED = re.compile(r"\.[A-Za-z][A-Za-z0-9_.-]*/[A-Za-z0-9_./-]+", re.ASCII)
_EXPRESSION = re.compile(r"\$\{\{ [ -~]+ \}\}", re.ASCII)
_PRINTABLE = re.compile(r"[ -~\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_SEPARATORS = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with a comment behind it."""

    value: Any
    note: str


def render_yaml(document: Mapping[str, Any], *, spaced: frozenset[str] = frozenset()) -> str:
    """The text of a mapping. Before each of the top keys in `spaced` is a blank line.

    Values are text, numbers, true and false, lists, mappings, and any of them `Noted`.
    """
    lines: list[str] = []
    for key, value in document.items():
        if key in spaced and lines:
            lines.append("")
        lines.extend(_entry(key, value, 0))
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, depth: int, lead: str = "") -> Iterator[str]:
    """The lines of `key: value`. `lead` stands instead of the indentation of the first one."""
    indent = lead or "  " * depth
    value, note = (value.value, f" # {value.note}") if isinstance(value, Noted) else (value, "")
    name = _scalar(key)
    if isinstance(value, Mapping) and value:
        yield f"{indent}{name}:{note}"
        for inner, member in value.items():
            yield from _entry(inner, member, depth + 1)
    elif isinstance(value, list) and value:
        yield f"{indent}{name}:{note}"
        for item in value:
            yield from _item(item, depth + 1)
    elif isinstance(value, str) and _is_block(value):
        yield f"{indent}{name}: |{'' if value.endswith(chr(10)) else '-'}"
        for line in value.removesuffix("\n").split("\n"):
            yield f"{'  ' * (depth + 1)}{line}" if line else ""
    else:
        yield f"{indent}{name}: {_scalar(value)}{note}"


def _item(item: Any, depth: int) -> Iterator[str]:
    dash = "  " * depth + "- "
    if isinstance(item, Mapping) and item:
        lead = dash
        for inner, member in item.items():
            yield from _entry(inner, member, depth + 1, lead)
            lead = ""
    elif isinstance(item, list):
        # The only lists of lists are labels of runners: short words.
        yield f"{dash}[{', '.join(map(_scalar, item))}]"
    else:
        yield f"{dash}{_scalar(item)}"


def _is_block(text: str) -> bool:
    """Whether the text is lines that can stand as they are."""
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and bool(lines[0])
        and bool(lines[-1])
        and not lines[0].startswith(" ")
        and all(_PRINTABLE.fullmatch(line) and not line.endswith(" ") for line in lines)
        and not text.endswith("\n\n")
        and not _SEPARATORS.search(text)
    )


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    assert not value, f"a {type(value).__name__} cannot stand in a line"
    return "{}" if isinstance(value, Mapping) else "[]"


def _is_plain(text: str) -> bool:
    """Whether every reader takes the bare text for this text."""
    if _PLAIN.fullmatch(text):
        return text.lower() not in _WORDS
    if _DOTTED.fullmatch(text):
        return True
    return bool(_EXPRESSION.fullmatch(text)) and ": " not in text and " #" not in text


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character < " ":
        return f"\\x{ord(character):02x}"
    if _SEPARATORS.match(character):
        return f"\\u{ord(character):04x}"
    return character
