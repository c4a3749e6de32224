"""Scripts as members of an object in a JSON file, edited without touching anything else."""

import json
import re
from collections.abc import Mapping, Sequence

from pipec.backends.scripts.jsonc import Jsonc, Member, Table
from pipec.backends.scripts.port import Edited, Made, UnsuitableError

_COMMENTS_BESIDE = re.compile(r"(?:[ \t]*/\*[^\r\n]*?\*/)*(?:[ \t]*//[^\r\n]*)?(?=[ \t]*[\r\n])")


class JsonEntries:
    """The members of the object `field` at the top of a JSON file."""

    def __init__(self, field: str) -> None:
        self._field = field

    def entries(self, text: str, asked: Sequence[str]) -> dict[str, str | None]:
        """Which of these scripts are there, with their commands.

        Raises:
            UnsuitableError: the text is no JSON object, or `field` is no object.
        """
        found = self._open(text).values.get(self._field, {})
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
            UnsuitableError: as `entries`.
        """
        for name in owned:
            if name not in wanted:
                text = self._without(text, name)
        if not wanted:
            return Edited(self._restored(text, made))
        document = self._open(text)
        tables = {mark.at: mark for mark in made}
        if self._field not in document.values:
            root = document.table(())
            if not root.members:
                tables.setdefault("", Made("", was=text[root.start : root.end]))
            tables[self._field] = Made(self._field)
            text = self._with_field(document, root, wanted)
        else:
            table = document.table((self._field,))
            if not table.members and not _has_comment(text, table):
                was = Made(self._field, was=text[table.start : table.end])
                tables.setdefault(self._field, was)
                style = _Style.of(document)
                inner = style.object(wanted, depth=1)
                text = text[: table.start] + inner + text[table.end :]
            else:
                text = self._with_entries(text, wanted)
        return Edited(text, tuple(tables[at] for at in sorted(tables)))

    def _open(self, text: str) -> Jsonc:
        try:
            document = Jsonc(text)
        except ValueError as error:
            raise UnsuitableError(f"is not JSON: {error}") from None
        if not isinstance(document.values, dict):
            raise UnsuitableError("holds no JSON object")
        if not isinstance(document.values.get(self._field, {}), dict):
            raise UnsuitableError(f"has something else than an object in `{self._field}`")
        return document

    def _with_field(self, document: Jsonc, root: Table, wanted: Mapping[str, str]) -> str:
        text, style = document.text, _Style.of(document)
        member = style.member(self._field, style.object(wanted, depth=1))
        if root.members or _has_comment(text, root):
            return _inserted(text, root, len(root.members), member, style, depth=1)
        inner = style.around([member], depth=0)
        return text[: root.start] + inner + text[root.end :]

    def _with_entries(self, text: str, wanted: Mapping[str, str]) -> str:
        previous = ""
        for name, command in wanted.items():
            document = self._open(text)
            table, style = document.table((self._field,)), _Style.of(document)
            index = table.find(name)
            if index is not None:
                text = _with_value(text, table.members[index], command)
            else:
                place = _place(table, name, previous, wanted)
                entry = style.member(name, _quoted(command))
                text = _inserted(text, table, place, entry, style, depth=2)
            previous = name
        return text

    def _without(self, text: str, name: str) -> str:
        document = self._open(text)
        if self._field not in document.values:
            return text
        table = document.table((self._field,))
        index = table.find(name)
        return text if index is None else _removed(text, table.members[index])

    def _restored(self, text: str, made: Sequence[Made]) -> str:
        """The text with the tables that only our scripts filled as they were."""
        for mark in sorted(made, key=lambda mark: len(mark.at), reverse=True):
            document = self._open(text)
            if mark.at and self._field not in document.values:
                continue
            table = document.table((self._field,) if mark.at else ())
            if table.members or _has_comment(text, table):
                continue
            if mark.was is not None:
                text = text[: table.start] + mark.was + text[table.end :]
            else:
                root = document.table(())
                index = root.find(self._field)
                assert index is not None
                text = _removed(text, root.members[index])
        return text


def _place(table: Table, name: str, previous: str, wanted: Mapping[str, str]) -> int:
    """Where a script belongs: after the one before it, before the first of the others, last."""
    after = table.find(previous) if previous else None
    if after is not None:
        return after + 1
    present = [table.find(other) for other in wanted if other != name]
    return min((index for index in present if index is not None), default=len(table.members))


def _with_value(text: str, member: Member, command: str) -> str:
    old = text[member.value_start : member.value_end]
    if old.startswith('"') and json.loads(old) == command:
        return text
    return text[: member.value_start] + _quoted(command) + text[member.value_end :]


def _inserted(
    text: str, table: Table, index: int, member: str, style: "_Style", *, depth: int
) -> str:
    """The text with one more member at this number."""
    is_spread = style.is_spread
    indent = style.newline + style.indent * depth if is_spread else ""
    if table.members:
        first = table.members[0]
        lead = text[first.space : first.key_start]
        is_spread = "\n" in lead or "\r" in lead
        if is_spread:
            indent = style.newline + re.split(r"[\r\n]", lead)[-1]
        elif index:
            indent = style.gap
        else:
            indent = lead
    if index == 0:
        at = table.start + 1
        comma = "," if table.members else ""
        return text[:at] + indent + member + comma + text[at:]
    last = table.members[index - 1]
    if last.comma is not None:
        at = _behind_comments(text, last.comma + 1) if is_spread else last.comma + 1
        return text[:at] + indent + member + "," + text[at:]
    at = _behind_comments(text, last.value_end) if is_spread else last.value_end
    return text[: last.value_end] + "," + text[last.value_end : at] + indent + member + text[at:]


def _behind_comments(text: str, at: int) -> int:
    """Behind comments that stand on the rest of the line, where nothing else does."""
    found = _COMMENTS_BESIDE.match(text, at)
    return found.end() if found else at


def _removed(text: str, member: Member) -> str:
    """The text without a member, the white space before it, and one comma."""
    start = member.space
    if member.follows_line_comment:
        # The end of the comment's line stays, or what comes next would be a part of it.
        line_ends = re.match(r"\r?\n?", text[start:])
        rest = text[member.value_end :]
        if line_ends and not re.match(r"[ \t]*,?[ \t]*(?:[\r\n]|$)", rest):
            start += line_ends.end()
    if member.comma is not None:
        middle = text[member.value_end : member.comma]
        return text[:start] + (middle if middle.strip() else "") + text[member.comma + 1 :]
    if member.comma_before is not None:
        before = text[: member.comma_before] + text[member.comma_before + 1 : start]
        return before + text[member.value_end :]
    return text[:start] + text[member.value_end :]


def _has_comment(text: str, table: Table) -> bool:
    return not table.members and bool(text[table.start + 1 : table.end - 1].strip())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class _Style:
    """How a file is laid out: its line ends, its indentation, its colons."""

    def __init__(self, *, newline: str, indent: str, colon: str, is_spread: bool) -> None:
        self.newline = newline
        self.indent = indent
        self.colon = colon
        self.is_spread = is_spread

    @classmethod
    def of(cls, document: Jsonc) -> "_Style":
        """The style of the first member of a file; the usual one for an empty file."""
        text, root = document.text, document.table(())
        found = re.search(r"\r\n|\n|\r", text)
        newline = found[0] if found else "\n"
        if not root.members:
            return cls(newline=newline, indent="  ", colon=": ", is_spread=True)
        first = root.members[0]
        lead = text[first.space : first.key_start]
        is_spread = bool(re.search(r"[\r\n]", lead))
        colon = text[first.key_end : first.value_start]
        indent = re.split(r"[\r\n]", lead)[-1] if is_spread else ""
        return cls(
            newline=newline,
            indent=indent,
            colon=colon if re.fullmatch(r"[ \t]*:[ \t]*", colon) else ": ",
            is_spread=is_spread,
        )

    @property
    def gap(self) -> str:
        """What stands between members on one line."""
        return "" if self.colon.endswith(":") else " "

    def member(self, key: str, value: str) -> str:
        """A key with its value."""
        return f"{_quoted(key)}{self.colon}{value}"

    def object(self, entries: Mapping[str, str], *, depth: int) -> str:
        """An object of texts, as the value of a key at this depth."""
        members = [self.member(key, _quoted(value)) for key, value in entries.items()]
        return self.around(members, depth=depth)

    def around(self, members: Sequence[str], *, depth: int) -> str:
        """Braces around members, for a value at this depth."""
        if not self.is_spread:
            return "{" + f",{self.gap}".join(members) + "}"
        inner = self.newline + self.indent * (depth + 1)
        outer = self.newline + self.indent * depth
        return "{" + ",".join(inner + member for member in members) + outer + "}"
