"""Scripts as keys of a table in a TOML file, edited without touching anything else."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tomli

from pipec import _core
from pipec.backends.scripts.port import Edited, Made, UnsuitableError

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

Span = tuple[int, int, int, int]
"""Where a key starts and ends, and where its value does, in bytes."""


class TomlEntries:
    """The keys of the table at a route of a TOML file."""

    def __init__(self, *route: str) -> None:
        self._route = route

    def has(self, text: str, *route: str) -> bool:
        """Whether the file has a table there; False if it cannot be read."""
        try:
            value: Any = tomli.loads(text)
        except tomli.TOMLDecodeError:
            return False
        for key in route:
            if not isinstance(value, dict) or key not in value:
                return False
            value = value[key]
        return isinstance(value, dict)

    def entries(self, text: str, asked: Sequence[str]) -> dict[str, str | None]:
        """Which of these scripts are there, with their commands.

        Raises:
            UnsuitableError: the text is no TOML, or the table is something else.
        """
        found = self._table(text) or {}
        return {
            name: found[name] if isinstance(found[name], str) else None
            for name in asked
            if name in found
        }

    def edit(
        self, text: str, *, wanted: Mapping[str, str], owned: Sequence[str], made: Sequence[Made]
    ) -> Edited:
        """The text with the wanted scripts and no other owned ones.

        Raises:
            UnsuitableError: as `entries`, or there is no place for the table.
        """
        for name in owned:
            if name not in wanted:
                text = self._without(text, name)
        if not wanted:
            return Edited(self._restored(text, made))
        marks = {mark.at: mark for mark in made}
        previous = ""
        for name, command in wanted.items():
            if name in (self._table(text) or {}):
                text = self._with_value(text, name, command)
            else:
                text, mark = self._with_entry(text, name, command, previous, wanted)
                if mark is not None:
                    marks[mark.at] = mark
            previous = name
        return Edited(text, tuple(marks[at] for at in sorted(marks)))

    def _table(self, text: str) -> dict[str, Any] | None:
        try:
            value: Any = tomli.loads(text)
        except tomli.TOMLDecodeError as error:
            raise UnsuitableError(f"is not TOML: {error}") from None
        for depth, key in enumerate(self._route, start=1):
            value = value.get(key)
            if value is None:
                return None
            if not isinstance(value, dict):
                name = ".".join(self._route[:depth])
                raise UnsuitableError(f"has something else than a table in `{name}`")
        assert isinstance(value, dict)
        return value

    def _with_value(self, text: str, name: str, command: str) -> str:
        if (self._table(text) or {})[name] == command:
            return text
        source = text.encode()
        _, _, start, end = self._span(text, (*self._route, name))
        if source[start : start + 1] not in (b'"', b"'"):
            raise UnsuitableError(f"has something else than text in `{name}`, which pipec wrote")
        return (source[:start] + _quoted(command).encode() + source[end:]).decode()

    def _with_entry(
        self, text: str, name: str, command: str, previous: str, wanted: Mapping[str, str]
    ) -> tuple[str, Made | None]:
        source, entry = text.encode(), f"{_key(name)} = {_quoted(command)}"
        table = self._table(text)
        span = None if table is None else self._span(text, self._route)
        if span is None or _is_implied(source, span):
            return self._with_section(text, entry)
        key_start, key_end, start, end = span
        if source[start : start + 1] == b"{":
            return self._in_braces(text, (start, end), entry, empty=not table)
        assert table is not None
        if source[start : start + 1] == b"[":
            at = _line_end(source, end)
            prefix = b""
        else:
            # `tasks.name = …` in the table around: the same beginning for one more line.
            at = _line_end(source, key_end)
            prefix = source[_line_start(source, key_start) : key_end] + b"."
        leaves = dict(self._leaves(text, self._route, table))
        ours = {route[len(self._route)]: end for route, end in leaves.items()}
        if previous in ours:
            at = _line_end(source, ours[previous])
        elif not any(other in ours for other in wanted):
            at = max([at, *(_line_end(source, end) for end in leaves.values())])
        else:
            first = min(ours[other] for other in wanted if other in ours)
            at = _line_start(source, first)
        return _with_line(source, at, prefix + entry.encode()), None

    def _with_section(self, text: str, entry: str) -> tuple[str, Made]:
        """The text with a section of its own at the end."""
        self._refuse_braces_around(text)
        newline = _newline(text)
        is_ended = not text or text.endswith(("\n", "\r"))
        has_gap = not text.strip() or re.search(r"\n[ \t]*\r?\n\Z", text) is not None
        glue = "" if has_gap else newline if is_ended else newline * 2
        header = f"[{'.'.join(map(_key, self._route))}]"
        end = newline if is_ended else ""
        mark = Made(".".join(self._route), glue=glue)
        return f"{text}{glue}{header}{newline}{entry}{end}", mark

    def _refuse_braces_around(self, text: str) -> None:
        value: Any = tomli.loads(text)
        source = text.encode()
        for depth, key in enumerate(self._route[:-1], start=1):
            if key not in value:
                return
            value = value[key]
            start = self._span(text, self._route[:depth])[2]
            if source[start : start + 1] == b"{":
                name = ".".join(self._route[:depth])
                raise UnsuitableError(f"has `{name}` in braces: write it as a table `[{name}]`")

    def _in_braces(
        self, text: str, span: tuple[int, int], entry: str, *, empty: bool
    ) -> tuple[str, Made | None]:
        source, (start, end) = text.encode(), span
        if empty:
            inside = f"{{ {entry} }}".encode()
            was = source[start:end].decode()
            mark = Made(".".join(self._route), was=was)
            return (source[:start] + inside + source[end:]).decode(), mark
        inner = source[start : end - 1].rstrip()
        if b"#" in inner or b"\n" in inner or inner.endswith(b","):
            name = ".".join(self._route)
            raise UnsuitableError(f"has `{name}` in braces on several lines: write `[{name}]`")
        at = start + len(inner)
        return (source[:at] + f", {entry}".encode() + source[at:]).decode(), None

    def _without(self, text: str, name: str) -> str:
        table = self._table(text)
        if table is None or name not in table:
            return text
        source = text.encode()
        around = self._span(text, self._route)
        key_start, key_end, start, end = self._span(text, (*self._route, name))
        if source[around[2] : around[2] + 1] == b"{":
            return _without_member(source, key_start, end, around[2]).decode()
        if source[start : start + 1] == b"[" or (key_start, key_end) == (start, end):
            raise UnsuitableError(f"has a table in `{name}`, where pipec wrote one line")
        return _without_lines(source, _line_start(source, key_start), _line_end(source, end))

    def _restored(self, text: str, made: Sequence[Made]) -> str:
        for mark in made:
            table = self._table(text)
            if table is None or dict(self._leaves(text, self._route, table)):
                continue
            source = text.encode()
            _, _, start, end = self._span(text, self._route)
            if mark.was is not None:
                text = (source[:start] + mark.was.encode() + source[end:]).decode()
            elif source[start : start + 1] == b"[":
                text = _without_section(source, start, _line_end(source, end), mark.glue)
        return text

    def _leaves(
        self, text: str, route: tuple[str, ...], table: Mapping[str, Any]
    ) -> Iterator[tuple[tuple[str, ...], int]]:
        """Routes and ends of the values that stand in this table itself, without sub-tables."""
        source = text.encode()
        for key, value in table.items():
            at = (*route, key)
            key_start, key_end, start, end = self._span(text, at)
            if isinstance(value, dict) and source[start : start + 1] == b"[":
                continue
            if _is_array_of_tables(value, source[start : start + 2]):
                continue
            if isinstance(value, dict) and (key_start, key_end) == (start, end):
                if not _is_implied(source, (key_start, key_end, start, end)):
                    yield from self._leaves(text, at, value)
            else:
                yield at, end

    def _span(self, text: str, route: Sequence[str]) -> Span:
        (span,) = _core.toml_spans(text, json.dumps([list(route)]))
        assert span is not None
        return span


def _is_array_of_tables(value: object, start: bytes) -> bool:
    return isinstance(value, list) and start == b"[[" and all(isinstance(i, dict) for i in value)


def _is_implied(source: bytes, span: Span) -> bool:
    """Whether a table is only there because a header below names it on its way."""
    key_start, key_end, start, end = span
    line = source[_line_start(source, key_start) : key_start]
    return (key_start, key_end) == (start, end) and line.lstrip().startswith(b"[")


def _line_start(source: bytes, at: int) -> int:
    return source.rfind(b"\n", 0, at) + 1


def _line_end(source: bytes, at: int) -> int:
    """Behind the line break of the line, or the end of the text."""
    found = source.find(b"\n", at)
    return len(source) if found < 0 else found + 1


def _newline(text: str) -> str:
    return "\r\n" if re.search(r"\r?\n", text + "\n")[0] == "\r\n" else "\n"  # type: ignore[index]


def _with_line(source: bytes, at: int, line: bytes) -> str:
    """The text with a line more; a last line without an end stays without one."""
    newline = _newline(source.decode()).encode()
    if at == len(source) and source and not source.endswith(b"\n"):
        return (source + newline + line).decode()
    return (source[:at] + line + newline + source[at:]).decode()


def _without_lines(source: bytes, start: int, end: int) -> str:
    if not source[start:end].endswith(b"\n"):
        start = len(source[:start].removesuffix(b"\n").removesuffix(b"\r"))
    return (source[:start] + source[end:]).decode()


def _without_section(source: bytes, start: int, end: int, glue: str) -> str:
    """The text without a header and what parted it from the text before."""
    before, after = source[:start], source[end:]
    part = glue.encode()
    if after.strip() and part:
        # Something was added below: the line above has to keep its end.
        part = b"\r\n" if part.startswith(b"\r\n") else b"\n"
    return (before.removesuffix(part) + after).decode()


def _without_member(source: bytes, start: int, end: int, opening: int) -> bytes:
    """Braces without one member and one comma."""
    after = re.match(rb"[ \t]*,", source[end:])
    before = source[:start].rstrip(b" \t")
    if after:
        return before + source[end + after.end() :]
    if before.endswith(b","):
        return before[:-1] + source[end:]
    assert before.endswith(b"{"), opening
    return before + source[end:]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
