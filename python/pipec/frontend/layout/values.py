"""How a value is written: arrays on one line, or one item a line; everything else as it was."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

COLUMNS = 100
"""A line with an array that would be longer is broken."""

_INDENT = "  "
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|'[^']*\''''
    r"""|\#[^\n]*|\n|[\[\]{},=]|[^"'\#\n\[\]{},=]+""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(slots=True)
class _Member:
    """One item of an array, or of a table on one line, with its comments.

    `below` is what stands under the item and before its comma.
    """

    above: list[str] = field(default_factory=list)
    text: str = ""
    beside: str = ""
    below: list[str] = field(default_factory=list)


def lay_out(text: str, *, prefix: str, indent: str = "") -> str:
    """The text of a value. `prefix` is what stands before it on its line, without the indent."""
    text = text.strip()
    if text.startswith("["):
        return _array(text, prefix=prefix, indent=indent)
    if text.startswith("{"):
        return _inline_table(text)
    return text


def _array(text: str, *, prefix: str, indent: str) -> str:
    members, after = _members(text)
    deeper = indent + _INDENT
    flat = f"[{', '.join(lay_out(member.text, prefix='', indent=deeper) for member in members)}]"
    has_comments = bool(after) or any(member.above or member.beside for member in members)
    is_spread = has_comments or (bool(members) and _spans_lines(text))
    if not is_spread and ("\n" in flat or len(indent) + len(prefix) + len(flat) <= COLUMNS):
        return flat
    lines = ["["]
    for member in members:
        lines += [f"{deeper}{comment}" for comment in member.above]
        # One column is for the comma.
        item = lay_out(member.text, prefix=" ", indent=deeper)
        lines.append(f"{deeper}{item},{'  ' if member.beside else ''}{member.beside}")
    lines += [f"{deeper}{comment}" for comment in after]
    return "\n".join([*lines, f"{indent}]"])


def _inline_table(text: str) -> str:
    if _spans_lines(text):
        return text
    members, _ = _members(text)
    pairs = (_pair(member.text) for member in members)
    inside = ", ".join(pairs)
    return f"{{ {inside} }}" if inside else "{}"


def _pair(text: str) -> str:
    """A key and its value; a long array stays on the line of its table."""
    key, value = _split_pair(text)
    if value.startswith(("[", "{")):
        members, _ = _members(value)
        if value.startswith("{"):
            value = _inline_table(value)
        else:
            value = f"[{', '.join(_item(member.text) for member in members)}]"
    return f"{key} = {value}"


def _item(text: str) -> str:
    """An item of an array that stays on its line."""
    if text.startswith("["):
        members, _ = _members(text)
        return f"[{', '.join(_item(member.text) for member in members)}]"
    return _inline_table(text) if text.startswith("{") else text


def _split_pair(text: str) -> tuple[str, str]:
    for match in _TOKEN.finditer(text):
        if match.group() == "=":
            return text[: match.start()].strip(), text[match.end() :].strip()
    raise AssertionError("a member of an inline table has a key")


def _spans_lines(text: str) -> bool:
    """Whether there is a line break outside of the strings."""
    return any(piece == "\n" for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    return (match.group() for match in _TOKEN.finditer(text))


def _members(text: str) -> tuple[list[_Member], list[str]]:
    """The members between the outer brackets, and the comments after the last one."""
    members: list[_Member] = []
    current = _Member()
    depth = 0
    is_new_line = True
    for piece in _pieces(text[1:-1]):
        if depth == 0 and piece.startswith("#"):
            beside = current if current.text.strip() else members[-1] if members else None
            if beside is not None and not is_new_line and not beside.beside:
                beside.beside = piece.rstrip()
            else:
                (current.below if current.text.strip() else current.above).append(piece.rstrip())
        elif depth == 0 and piece == "\n":
            is_new_line = True
        elif depth == 0 and piece == ",":
            _close(current, members)
            current = _Member(above=current.below)
            is_new_line = False
        else:
            depth += (piece in "[{") - (piece in "]}")
            current.text += piece
            is_new_line = is_new_line and not piece.strip()
    _close(current, members)
    return members, current.below if current.text else current.above


def _close(member: _Member, members: list[_Member]) -> None:
    member.text = member.text.strip()
    if member.text:
        members.append(member)


def comments_of(text: str) -> list[str]:
    """Every comment of a TOML text, sorted."""
    return sorted(piece.rstrip() for piece in _pieces(text) if piece.startswith("#"))
