"""Lays a TOML file out anew: tables and keys in order, each with its comments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tomlkit
from tomlkit.container import Container
from tomlkit.items import AoT, Comment, Item, Key, Whitespace
from tomlkit.items import Table as TomlTable

from pipec.frontend.layout.order import Table, rank, table_at
from pipec.frontend.layout.values import lay_out

Path = tuple[str | int, ...]

_DIRECTIVES = ("#:", "#!")
"""Comments for programs count only at the top of a file."""


@dataclass(slots=True, kw_only=True)
class _Entry:
    """A key with its value. `above`: comments, and empty texts for blank lines."""

    path: Path
    key: str
    value: str
    comment: str
    above: list[str]


@dataclass(slots=True, kw_only=True)
class _Block:
    """A header with all up to the next one; the first block of a file has none.

    `below`: comments right under the last entry.
    """

    path: Path = ()
    header: str = ""
    above: list[str] = field(default_factory=list)
    entries: list[_Entry] = field(default_factory=list)
    below: list[str] = field(default_factory=list)


def lay_out_toml(text: str, values: Mapping[str, Any]) -> str:
    """The text in canonical layout. `values` is what it says.

    Raises:
        ValueError: tomlkit cannot read it, though it is TOML.
    """
    reader = _Reader()
    reader.read(tomlkit.parse(text), ())
    reader.finish()
    places = _Places(values, reader.paths)
    blocks = sorted(reader.blocks, key=lambda block: places.key(block.path))
    for block in blocks:
        block.entries.sort(key=lambda entry: places.key(entry.path))
    lines = list(_write(reader.head, blocks, reader.foot))
    return "".join(f"{line}\n" for line in lines)


class _Reader:
    """Takes a document apart, top to bottom."""

    def __init__(self) -> None:
        self.head: list[str] = []
        self.blocks = [_Block()]
        self.foot: list[str] = []
        self.paths: dict[Path, int] = {}
        self._spellings: dict[Path, str] = {}
        self._arrays: dict[Path, int] = {}
        self._pending: list[str] = []

    def read(self, container: Container, path: Path) -> None:
        for key, item in container.body:
            if isinstance(item, Whitespace):
                if "\n" in item.s:
                    self._pending.append("")
            elif isinstance(item, Comment):
                self._pending.append(item.trivia.comment.rstrip())
            elif key is not None:
                self._member(key, item, self._note(path, key))

    def finish(self) -> None:
        """Gives what is left over to the last table, or to the end of the file."""
        self.blocks[-1].below, self.foot = _split_after(self._pending)

    def _note(self, table: Path, key: Key) -> Path:
        """The place of a key. A key is spelled everywhere as it was first."""
        path = (*table, key.key)
        self._spellings.setdefault(path, key.as_string().strip())
        self.paths.setdefault(path, len(self.paths))
        return path

    def _member(self, key: Key, item: Item, path: Path) -> None:
        if isinstance(item, AoT):
            for element in item.body:
                index = self._arrays[path] = self._arrays.get(path, -1) + 1
                self.paths[(*path, index)] = len(self.paths)
                self._table(element, (*path, index), "[[{}]]")
        elif not isinstance(item, TomlTable):
            self._entry(item, path)
        elif key.is_dotted():
            for inner, member in item.value.body:
                if inner is not None:
                    self._member(inner, member, self._note(path, inner))
        elif path in self._arrays:
            # A table of the last element, far from it.
            self._table(item, (*path, self._arrays[path]), "[{}]")
        else:
            self._table(item, path, "[{}]")

    def _table(self, table: TomlTable, path: Path, form: str) -> None:
        if table.display_name is not None:
            header = form.format(self._spell(path, 0)) + _beside(table)
            self._close_block()
            self.blocks.append(_Block(path=path, header=header, above=self._pending))
            self._pending = []
        self.read(table.value, path)

    def _entry(self, item: Item, path: Path) -> None:
        block = self.blocks[-1]
        if block.path == () and not block.entries:
            self._take_head()
        entry = _Entry(
            path=path,
            key=self._spell(path, len(block.path)),
            value=item.as_string(),
            comment=_beside(item),
            above=self._pending,
        )
        block.entries.append(entry)
        self._pending = []

    def _spell(self, path: Path, start: int) -> str:
        """The key of a place as it is written in the table of its first `start` names."""
        names = (path[: end + 1] for end in range(start, len(path)) if isinstance(path[end], str))
        return ".".join(self._spellings[name] for name in names)

    def _close_block(self) -> None:
        """Deals out what stands between the last entry and a header."""
        block = self.blocks[-1]
        if block.path == () and not block.entries:
            self._take_head()
        elif "" in self._pending:
            block.below, self._pending = _split_after(self._pending)

    def _take_head(self) -> None:
        """Whatever a blank line parts from the first key is about the file."""
        if "" in self._pending:
            last = len(self._pending) - 1 - self._pending[::-1].index("")
            self.head, self._pending = self._pending[:last], self._pending[last + 1 :]


class _Places:
    """Where everything belongs: by the order of the language, else where it first stood."""

    def __init__(self, values: Mapping[str, Any], first: Mapping[Path, int]) -> None:
        self._first = first
        self._tables: dict[Path, tuple[Table, Any]] = {(): (Table.PIPELINE, values)}

    def key(self, path: Path) -> tuple[tuple[int, int], ...]:
        """What to sort by; a table comes before those in it."""
        places = []
        for length, name in enumerate(path):
            table, _ = self._table(path[:length])
            position = rank(table, name) if isinstance(name, str) else 0
            places.append((position, self._first[path[: length + 1]]))
        return tuple(places)

    def _table(self, path: Path) -> tuple[Table, Any]:
        if path not in self._tables:
            table, value = self._table(path[:-1])
            name = path[-1]
            member = value[name]
            kind = table_at(table, name, member) if isinstance(name, str) else Table.OTHER
            self._tables[path] = (kind, member)
        return self._tables[path]


def _beside(item: Item) -> str:
    """The comment on the line of an item, as far from it as it was."""
    trivia = item.trivia
    return f"{trivia.comment_ws or ' '}{trivia.comment.rstrip()}" if trivia.comment else ""


def _split_after(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines up to the first blank one, and those after it."""
    if "" not in lines:
        return list(lines), []
    first = lines.index("")
    return list(lines[:first]), list(lines[first + 1 :])


def _write(head: list[str], blocks: Sequence[_Block], foot: list[str]) -> Iterator[str]:
    top = blocks[0].entries[0] if blocks[0].entries else next(iter(blocks[1:]), None)
    if top is not None:
        directives, top.above = _directives(_trimmed(top.above))
        if directives:
            head = [*head, "", *directives]
    parts = [_trimmed(head, end=True), *map(_block, blocks), _trimmed(foot, end=True)]
    is_first = True
    for part in parts:
        if not part:
            continue
        if not is_first:
            yield ""
        is_first = False
        yield from part


def _block(block: _Block) -> list[str]:
    lines = _trimmed(block.above)
    if block.header:
        lines.append(block.header)
    for index, entry in enumerate(block.entries):
        lines += _trimmed(entry.above) if index == 0 else _trimmed(entry.above, start=False)
        start = f"{entry.key} = "
        lines.append(f"{start}{lay_out(entry.value, prefix=start)}{entry.comment}")
    return lines + _trimmed(block.below)


def _directives(lines: list[str]) -> tuple[list[str], list[str]]:
    """The comments for programs at the beginning, and the rest."""
    count = 0
    while count < len(lines) and lines[count].startswith(_DIRECTIVES):
        count += 1
    return lines[:count], lines[count:]


def _trimmed(lines: Sequence[str], *, start: bool = True, end: bool = False) -> list[str]:
    """The lines with single blank ones between them, and none at the ends that are named."""
    kept: list[str] = []
    for line in lines:
        if line or (kept[-1] if kept else not start):
            kept.append(line)
    while end and kept and not kept[-1]:
        kept.pop()
    return kept
