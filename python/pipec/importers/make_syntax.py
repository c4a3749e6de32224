"""The lines of a Makefile as statements: assignments, rules, recipes, conditionals, inclusions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.errors import SpecError
from pipec.frontend.document import Document

_ASSIGNMENT = re.compile(
    r"(?P<words>(?:(?:export|override|private|unexport)\s+)*)"
    r"(?P<name>[^\s:#=?+!]+)\s*(?P<operator>\?=|\+=|!=|:::=|::=|:=|=)\s*(?P<value>.*)",
    re.DOTALL,
)
_TARGET_VARIABLE = re.compile(
    r"\s*(?:(?:export|override|private)\s+)*[A-Za-z_.][\w.-]*\s*(?:\?=|\+=|:::?=|:=|!=|=)"
)
_CONDITIONALS = ("ifeq", "ifneq", "ifdef", "ifndef")

Kind = Literal["assign", "rule", "recipe", "if", "else", "endif", "include", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement; `text` is what it is about, as each kind says.

    assign: the value, with `name` and `operator` (`words`: export and the like); rule: all up to
    the recipe; recipe: a command; if: the condition, with its word in `name`; else: perhaps another
    condition; include: the files, with the word in `name`; other: the whole line.
    """

    kind: Kind
    line: int
    text: str = ""
    name: str = ""
    operator: str = ""
    words: tuple[str, ...] = ()
    comment: str = ""


@dataclass(slots=True)
class _Reader:
    document: Document
    findings: list[Finding] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    prefix: str = "\t"

    def complain(self, line: int, message: str) -> None:
        lines = self.document.text.split("\n")
        before = "\n".join(lines[: line - 1]) + ("\n" if line > 1 else "")
        own = lines[line - 1] if line <= len(lines) else ""
        column = len(own) - len(own.lstrip())
        start = len((before + own[:column]).encode(errors="replace"))
        text = f"`{self.document.path}` is not a Makefile: {message}"
        self.findings.append(Finding(Code.IMPORT_SYNTAX, text, (Label(span=(start, start)),)))


def read_makefile(document: Document) -> list[Statement]:
    """The statements of a Makefile.

    Raises:
        SpecError: with every line that cannot be read, and every block that does not end.
    """
    reader = _Reader(document)
    _read(reader)
    if reader.findings:
        ordered = sorted(reader.findings, key=lambda finding: finding.labels[0].span or (0, 0))
        raise SpecError(ordered, document=document)
    return reader.statements


def _read(reader: _Reader) -> None:
    lines = list(_logical_lines(reader.document.text))
    blocks: list[int] = []
    has_rule = False
    at = 0
    while at < len(lines):
        number, raw = lines[at]
        at += 1
        if raw.startswith(reader.prefix) and has_rule:
            _recipe(reader, number, raw[len(reader.prefix) :])
            continue
        text, comment = _without_comment(_unfolded(raw))
        text = text.strip()
        if not text:
            continue
        word = text.split(None, 1)[0]
        rest = text[len(word) :].strip()
        if word == "define" or text.startswith(("override define", "export define")):
            at = _define(reader, lines, at, number, text.partition("define")[2].strip())
        elif word in _CONDITIONALS or re.match(r"if(n?)eq\(", word):
            blocks.append(number)
            name = re.match(r"\w+", text)
            condition = text[len(name.group()) :].strip() if name is not None else ""
            kind_name = name.group() if name is not None else ""
            reader.statements.append(
                Statement(kind="if", line=number, text=condition, name=kind_name)
            )
        elif word in ("else", "endif"):
            if not blocks:
                reader.complain(number, f"`{word}` without a condition")
                continue
            if word == "endif":
                blocks.pop()
            inner = re.match(r"(ifn?eq|ifn?def)\b\s*(.*)", rest, re.DOTALL)
            name_of = inner.group(1) if inner is not None else ""
            condition = inner.group(2) if inner is not None else ""
            kind: Kind = "endif" if word == "endif" else "else"
            reader.statements.append(
                Statement(kind=kind, line=number, text=condition, name=name_of)
            )
        elif raw.startswith("\t") and not has_rule and not _ASSIGNMENT.fullmatch(text):
            reader.complain(number, "a recipe before the first target")
        else:
            has_rule = _plain(reader, number, text, word, rest, comment) or has_rule
    for number in blocks:
        reader.complain(number, "this condition does not end: there is no `endif`")


def _plain(  # noqa: PLR0917 - what a line is made of
    reader: _Reader, number: int, text: str, word: str, rest: str, comment: str
) -> bool:
    """Reads any other line; gives whether it is a rule."""
    if word in ("include", "-include", "sinclude"):
        reader.statements.append(Statement(kind="include", line=number, text=rest, name=word))
        return False
    found = _ASSIGNMENT.fullmatch(text)
    if found is not None:
        name = found["name"]
        if name == ".RECIPEPREFIX":
            reader.prefix = found["value"][:1] or "\t"
        reader.statements.append(
            Statement(
                kind="assign",
                line=number,
                text=found["value"],
                name=name,
                operator=found["operator"],
                words=tuple(found["words"].split()),
            )
        )
        return False
    if word in ("export", "unexport", "vpath", "undefine", "load", "-load"):
        reader.statements.append(Statement(kind="other", line=number, text=text, name=word))
        return False
    if _separator(text) is not None:
        rule, semicolon, command = _split_recipe(text)
        reader.statements.append(Statement(kind="rule", line=number, text=rule, comment=comment))
        if semicolon:
            _recipe(reader, number, command)
        return True
    if text.startswith("$(") and text.endswith(")"):
        reader.statements.append(Statement(kind="other", line=number, text=text, name="call"))
        return False
    hint = " (a recipe begins with a tab, not with spaces)" if text and text != word else ""
    reader.complain(number, f"this line is no rule and no assignment{hint}")
    return False


def _recipe(reader: _Reader, number: int, command: str) -> None:
    reader.statements.append(Statement(kind="recipe", line=number, text=command))


def _define(
    reader: _Reader, lines: list[tuple[int, str]], at: int, number: int, header: str
) -> int:
    """Reads up to `endef`; gives where the next statement begins."""
    found = re.match(r"(\S+)\s*([:?+!]*=)?", header)
    body: list[str] = []
    depth = 1
    while at < len(lines):
        _, raw = lines[at]
        at += 1
        word = raw.strip().split(None, 1)[0] if raw.strip() else ""
        depth += (word == "define") - (word == "endef")
        if depth == 0:
            break
        body.append(raw)
    else:
        reader.complain(number, "this `define` does not end: there is no `endef`")
        return at
    if found is not None:
        reader.statements.append(
            Statement(
                kind="assign",
                line=number,
                text="\n".join(body),
                name=found.group(1),
                operator=found.group(2) or "=",
                words=("define",),
            )
        )
    return at


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with those that end in `\\` joined, as they stand, and their numbers."""
    pending: list[str] = []
    first = 1
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not pending:
            first = number
        pending.append(line)
        if (len(line) - len(line.rstrip("\\"))) % 2 == 0:
            yield first, "\n".join(pending)
            pending = []
    if pending:
        yield first, "\n".join(pending)


def _unfolded(text: str) -> str:
    """A line outside of recipes: `\\` and the break are one space."""
    return re.sub(r"\s*\\\n\s*", " ", text)


def _without_comment(text: str) -> tuple[str, str]:
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "({") - (character in ")}")
        if character == "#" and depth <= 0 and (index == 0 or text[index - 1] != "\\"):
            return text[:index], text[index:]
    return text, ""


def _separator(text: str) -> int | None:
    """Where the colon of a rule stands: outside of references."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "({") - (character in ")}")
        if character == ":" and depth <= 0:
            return index
    return None


def _split_recipe(text: str) -> tuple[str, bool, str]:
    """A rule and the command on its line, which a semicolon parts from it."""
    colon = _separator(text)
    if colon is not None and _TARGET_VARIABLE.match(text[colon + 1 :].lstrip(":")):
        return text, False, ""
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "({") - (character in ")}")
        if character == ";" and depth <= 0 and colon is not None and index > colon:
            return text[:index], True, text[index + 1 :].strip()
    return text, False, ""
