"""Completion: keys with what they are for, words of a list, and names of other things."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lsprotocol import types

from pipec.diagnostics import Route
from pipec.frontend.outline.cursors import Cursor
from pipec.lsp.analysis import Analysis
from pipec.lsp.expected import Expected, expected_at
from pipec.lsp.spelling import spell_key, spell_value
from pipec.lsp.words import describe_key

_REST = re.compile(rb"(?:[A-Za-z0-9_.*^!-]|:(?=[A-Za-z0-9_]))*")
_REST_QUOTED = re.compile(rb"""[^"'\n\r]*""")
_ALL_DEFAULTS = ("*", "for every task")


@dataclass(frozen=True, slots=True)
class _Choice:
    """One thing that can be written. `value` is as the readers would give it."""

    value: str | bool
    kind: types.CompletionItemKind
    detail: str = ""
    documentation: str = ""


def complete(analysis: Analysis, position: types.Position) -> list[types.CompletionItem]:
    """What can be written at a position, in the order of the language."""
    offset = analysis.positions.offset(position)
    items: dict[str, types.CompletionItem] = {}
    for cursor in analysis.cursors(offset):
        written = _Written(analysis, cursor, offset)
        for choice in _choices(analysis, cursor):
            item = written.item(choice, len(items))
            items.setdefault(item.label, item)
    return list(items.values())


def _choices(analysis: Analysis, cursor: Cursor) -> Iterator[_Choice]:
    if cursor.slot == "value":
        expected = expected_at(cursor.route, analysis.outline)
        for word in expected.words():
            yield _Choice(word, types.CompletionItemKind.EnumMember)
        yield from _names(analysis, cursor.route, expected)
        return
    yield from _keys(analysis, cursor)
    if cursor.route == ("task-defaults",):
        yield _Choice(_ALL_DEFAULTS[0], types.CompletionItemKind.Module, _ALL_DEFAULTS[1])
        for name in analysis.names.tasks:
            yield _Choice(name, types.CompletionItemKind.Module, "task")


def _keys(analysis: Analysis, cursor: Cursor) -> Iterator[_Choice]:
    """The keys that a table may have and has not; in a header only those of tables."""
    present = set(analysis.outline.names(cursor.route))
    present.discard(_key_at(analysis, cursor))
    for key in expected_at(cursor.route, analysis.outline).table_keys():
        if key.name in present and cursor.slot != "header":
            continue
        if cursor.slot == "header" and not key.is_table:
            continue
        yield _Choice(
            key.name,
            types.CompletionItemKind.Property,
            key.meaning.text,
            describe_key(key, analysis.notation),
        )
    if cursor.slot == "header":
        for name in analysis.outline.names(cursor.route):
            is_new = name == _key_at(analysis, cursor) and _is_written_once(analysis, cursor, name)
            if isinstance(name, str) and name and not is_new:
                yield _Choice(name, types.CompletionItemKind.Module)


def _key_at(analysis: Analysis, cursor: Cursor) -> str | int | None:
    """The key that is being written: it is not there yet."""
    for name in analysis.outline.names(cursor.route):
        places = analysis.outline.at((*cursor.route, name))
        if any(entry.key[0] == cursor.start for entry in places):
            return name
    return None


def _is_written_once(analysis: Analysis, cursor: Cursor, name: str | int | None) -> bool:
    return name is not None and len(analysis.outline.at((*cursor.route, name))) == 1


def _names(analysis: Analysis, route: Route, expected: Expected) -> Iterator[_Choice]:
    """The names of things that a text here can refer to."""
    kind = expected.reference()
    if kind is None:
        return
    names = analysis.names
    reference = types.CompletionItemKind.Reference
    around = _around(analysis, route)
    taken = {analysis.outline.value((*route[:-1], name)) for name in _siblings(analysis, route)}
    if kind == "task":
        if route[0] == "workspace":
            for name in names.of("member task"):
                yield _Choice(name, reference, "task of the same member")
                yield _Choice(f"^{name}", reference, "task of the members this one depends on")
            return
        yield from _tasks(analysis, around, taken)
        yield from (
            _Choice(f"*:{name}", reference, "task of every member")
            for name in names.of("member task")
        )
        yield from (_Choice(f"{name}:", reference, "source") for name in names.of("source"))
        return
    itself = route[:2]
    for name, place in names.of(kind).items():
        if name not in taken and place != itself:
            yield _Choice(name, reference, kind)
    if kind == "store":
        for name in dict.fromkeys([*names.of("store"), "file", "memory"]):
            if name not in names.of("store"):
                yield _Choice(name, reference, kind)
            for policy in expected.policies():
                yield _Choice(f"{name}:{policy}", reference, kind)


def _tasks(analysis: Analysis, around: str, taken: Iterable[object]) -> Iterator[_Choice]:
    """Task ids: those of the group around first, by the short names that hold in it."""
    tasks = analysis.names.tasks
    group = around.rpartition(".")[0]
    excluded = {around, *taken}
    names: dict[str, str] = {}
    for name in tasks:
        short = name.removeprefix(f"{group}.") if group else name
        if short != name and short not in tasks:
            names[short] = name
    shortened = set(names.values())
    names.update((name, name) for name in tasks if name not in shortened)
    for short, name in names.items():
        if name not in excluded and short not in excluded:
            detail = "task" if short == name else f"task {name}"
            description = analysis.outline.value((*tasks[name], "description"))
            said = description if isinstance(description, str) else ""
            yield _Choice(short, types.CompletionItemKind.Reference, detail, said)


def _around(analysis: Analysis, route: Route) -> str:
    """The id of the task that a route leads into; empty for none."""
    for name, place in analysis.names.tasks.items():
        if route[: len(place)] == place:
            return name
    return ""


def _siblings(analysis: Analysis, route: Route) -> Sequence[str | int]:
    """The other items of a list."""
    if not isinstance(route[-1], int):
        return ()
    return [name for name in analysis.outline.names(route[:-1]) if name != route[-1]]


class _Written:
    """How a choice is put in the place of what is written of it already."""

    def __init__(self, analysis: Analysis, cursor: Cursor, offset: int) -> None:
        content = analysis.content
        self._notation = analysis.notation
        self._slot = cursor.slot
        start = content[cursor.start : cursor.start + 1]
        self._quote = start.decode() if start in {b'"', b"'"} and cursor.start < offset else ""
        rest = (_REST_QUOTED if self._quote else _REST).match(content, offset)
        end = rest.end() if rest else offset
        if self._quote:
            if content[end : end + 1] == start:
                end += 1
            else:
                # The quotes are not closed: what comes after the cursor is something else.
                end = offset
        after = content[end:].split(b"\n", 1)[0].strip()
        self._has_sign = after[:1] in {b"=", b":"}
        self._range = analysis.positions.range(cursor.start, end)

    def item(self, choice: _Choice, position: int) -> types.CompletionItem:
        """The choice for the editor, at its place in the order."""
        text = self._key(choice) if self._slot != "value" else self._value(choice.value)
        label = _word(choice.value)
        return types.CompletionItem(
            label=label,
            kind=choice.kind,
            detail=choice.detail or None,
            documentation=types.MarkupContent(types.MarkupKind.Markdown, choice.documentation)
            if choice.documentation
            else None,
            sort_text=f"{position:05}",
            filter_text=f"{self._quote}{label}",
            text_edit=types.TextEdit(self._range, text),
        )

    def _key(self, choice: _Choice) -> str:
        key = str(choice.value)
        text = f"{self._quote}{key}{self._quote}" if self._quote else spell_key(key, self._notation)
        if self._slot == "header" or self._has_sign:
            return text
        return f"{text} = " if self._notation == "toml" else f"{text}: "

    def _value(self, value: str | bool) -> str:  # noqa: FBT001 - a value of the file
        if self._quote and not isinstance(value, bool):
            return f"{self._quote}{value}{self._quote}"
        return spell_value(value, self._notation)


def _word(value: str | bool) -> str:  # noqa: FBT001 - a value of the file
    return str(value).lower() if isinstance(value, bool) else value
