"""The syntax of justfiles: settings, assignments, recipes and expressions, each with its line."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.errors import SpecError
from pipec.frontend.document import Document

_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+|\\\n)"""
    r'''|(?P<string>[xf]?(?:"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\])*"|'[^']*'))'''
    r"""|(?P<command>```.*?```|`[^`]*`)"""
    rf"""|(?P<name>{_NAME}(?:::{_NAME})*)"""
    r"""|(?P<op>&&|\|\||:=|==|!=|=~|!~|[-+/(){}\[\],:=*$@?<>!])"""
    r"""|(?P<comment>\#[^\n]*)""",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "\n": ""}
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Expression:
    """`kind`: text, command, name, call, if, join (`+` and `/`), or other: only its source."""

    kind: str
    text: str
    parts: tuple["Expression", ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a recipe; `sign` is empty, `+` or `*`."""

    name: str
    default: Expression | None
    sign: str
    is_exported: bool


@dataclass(frozen=True, slots=True)
class Dependency:
    """A recipe to run, with arguments; `is_after` is on the right of `&&`."""

    name: str
    arguments: tuple[Expression, ...]
    is_after: bool


@dataclass(frozen=True, slots=True)
class Attribute:
    """`[name: arguments]`."""

    name: str
    arguments: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe. `body` has its lines without their common indent; `doc` is the comment above."""

    name: str
    line: int
    parameters: tuple[Parameter, ...]
    dependencies: tuple[Dependency, ...]
    attributes: tuple[Attribute, ...]
    body: tuple[str, ...]
    doc: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name := value`, perhaps exported."""

    name: str
    value: Expression
    is_exported: bool
    line: int


@dataclass(frozen=True, slots=True)
class Setting:
    """`set name := value`; the values of a list, or one, or none."""

    name: str
    values: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Inclusion:
    """`import` (without a name) or `mod`; `path` may be empty for a module."""

    name: str
    path: str
    is_optional: bool
    line: int


@dataclass(slots=True)
class Justfile:
    """What a justfile says."""

    document: Document
    recipes: list[Recipe] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    aliases: list[tuple[str, str, int]] = field(default_factory=list)
    inclusions: list[Inclusion] = field(default_factory=list)


def read_justfile(document: Document) -> Justfile:
    """The contents of a justfile.

    Raises:
        SpecError: with every line that cannot be read.
    """
    reader = _Reader(document)
    reader.read()
    if reader.findings:
        raise SpecError(reader.findings, document=document)
    return reader.result


class _SyntaxProblemError(Exception):
    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.message = message


class _Reader:
    def __init__(self, document: Document) -> None:
        self.result = Justfile(document)
        self.findings: list[Finding] = []
        self._text = document.text.replace("\r\n", "\n")
        self._attributes: list[Attribute] = []
        self._doc = ""

    def read(self) -> None:
        at = 0
        while at < len(self._text):
            end = self._end(at)
            try:
                tokens = _Tokens(self._text, at, end)
                end = max(end, self._item(tokens, at, end))
            except _SyntaxProblemError as problem:
                self._complain(problem)
                end = self._skip_body(end)
            at = end

    def _complain(self, problem: _SyntaxProblemError) -> None:
        start = len(self._text[: problem.at].encode(errors="replace"))
        message = f"`{self.result.document.path}` is not a justfile: {problem.message}"
        self.findings.append(Finding(Code.IMPORT_SYNTAX, message, (Label(span=(start, start)),)))

    def _end(self, at: int) -> int:
        """The end of the item that begins here: strings, brackets and `\\` go over lines."""
        depth = 0
        while at < len(self._text):
            if self._text[at] == "\n" and depth <= 0:
                return at + 1
            found = _TOKEN.match(self._text, at)
            if found is None:
                at += 1
                continue
            if found.lastgroup == "space" and "\n" in found.group() and depth <= 0:
                if found.group() == "\\\n":
                    at = found.end()
                    continue
                return self._text.index("\n", at) + 1
            if found.lastgroup == "op":
                depth += (found.group() in "([{") - (found.group() in ")]}")
            at = found.end()
        return len(self._text)

    def _item(self, tokens: "_Tokens", start: int, end: int) -> int:
        """Reads one item; gives where the next one begins."""
        first = self._text[start:end].strip()
        line = self._text.count("\n", 0, start) + 1
        if not first:
            self._doc = ""
            return end
        if first.startswith("#"):
            self._doc = first.lstrip("#!").strip() if not first.startswith("#!") else ""
            return end
        if self._text[start] in " \t":
            raise _SyntaxProblemError(start, "an indented line without a recipe above it")
        if first.startswith("["):
            self._attributes += _attributes(tokens, line)
            return end
        if self._is_keyword(first, "set", r"(?:\s*:=|\s*(?:#.*)?$)"):
            self.result.settings.append(_setting(tokens, line))
        elif self._is_keyword(first, "alias", r"\s*:="):
            tokens.word("alias")
            name = tokens.name()
            tokens.word(":=")
            self.result.aliases.append((name, tokens.name(), line))
        elif re.match(r"import\??\s*[\"'x]", first):
            tokens.word("import")
            optional = tokens.takes("?")
            self.result.inclusions.append(Inclusion("", _plain(tokens), optional, line))
        elif re.match(rf"mod\??\s+{_NAME}\s*(?:[\"'x#]|$)", first):
            tokens.word("mod")
            optional = tokens.takes("?")
            name = tokens.name()
            path = _plain(tokens) if not tokens.is_done() else ""
            self.result.inclusions.append(Inclusion(name, path, optional, line))
        elif re.match(rf"unexport\s+{_NAME}\s*$", first):
            return end
        elif re.match(rf"(?:export\s+|eager\s+|lazy\s+)*{_NAME}\s*:=", first):
            exported = False
            while tokens.peek() in ("export", "eager", "lazy") and tokens.peek(1) != ":=":
                exported = tokens.name() == "export" or exported
            name = tokens.name()
            tokens.word(":=")
            value = _expression(tokens)
            tokens.done()
            self.result.assignments.append(Assignment(name, value, exported, line))
        else:
            return self._recipe(tokens, line, end)
        self._attributes, self._doc = [], ""
        return end

    def _is_keyword(self, text: str, word: str, after: str) -> bool:
        return re.match(rf"{word}\s+{_NAME}{after}", text) is not None

    def _recipe(self, tokens: "_Tokens", line: int, end: int) -> int:
        tokens.takes("@")
        name = tokens.name()
        parameters: list[Parameter] = []
        while tokens.peek() != ":":
            if tokens.is_done():
                tokens.word(":")
            sign = next((sign for sign in ("+", "*") if tokens.takes(sign)), "")
            exported = tokens.takes("$")
            parameter = tokens.name()
            default = _value(tokens) if tokens.takes("=") else None
            parameters.append(Parameter(parameter, default, sign, exported))
        tokens.word(":")
        dependencies: list[Dependency] = []
        after = False
        while not tokens.is_done():
            if tokens.takes("&&"):
                after = True
            elif tokens.takes("("):
                called = tokens.name()
                arguments: list[Expression] = []
                while not tokens.takes(")"):
                    arguments.append(_expression(tokens))
                dependencies.append(Dependency(called, tuple(arguments), after))
            else:
                dependencies.append(Dependency(tokens.name(), (), after))
        finish = self._skip_body(end)
        body = textwrap.dedent(self._text[end:finish].rstrip())
        self.result.recipes.append(
            Recipe(
                name=name,
                line=line,
                parameters=tuple(parameters),
                dependencies=tuple(dependencies),
                attributes=tuple(self._attributes),
                body=tuple(body.split("\n")) if body else (),
                doc=self._doc,
            )
        )
        self._attributes, self._doc = [], ""
        return finish

    def _skip_body(self, at: int) -> int:
        """The end of the indented lines that begin here, blank ones between them included."""
        end = at
        while at < len(self._text):
            stop = self._text.find("\n", at) + 1 or len(self._text)
            line = self._text[at:stop]
            if line.strip() and line[0] not in " \t":
                break
            at = stop
            if line.strip():
                end = at
        return end


class _Tokens:
    """The tokens of one item, without blanks and comments."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._tokens = list(_tokenize(text, start, end))
        self._at = 0
        self._end = end

    def peek(self, ahead: int = 0) -> str:
        index = self._at + ahead
        return self._tokens[index][1] if index < len(self._tokens) else ""

    def kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def position(self) -> int:
        return self._tokens[self._at][2] if self._at < len(self._tokens) else self._end - 1

    def next(self) -> str:
        text = self.peek()
        self._at += 1
        return text

    def takes(self, word: str) -> bool:
        if self.kind() not in ("string", "command") and self.peek() == word:
            self._at += 1
            return True
        return False

    def word(self, word: str) -> None:
        if not self.takes(word):
            raise _SyntaxProblemError(self.position(), f"expected `{word}`")

    def name(self) -> str:
        if self.kind() != "name":
            raise _SyntaxProblemError(self.position(), "expected a name")
        return self.next()

    def is_done(self) -> bool:
        return self._at >= len(self._tokens)

    def done(self) -> None:
        if not self.is_done():
            raise _SyntaxProblemError(self.position(), f"`{self.peek()}` stands where nothing can")


def _tokenize(text: str, start: int, end: int) -> Iterator[tuple[str, str, int]]:
    at = start
    while at < end:
        found = _TOKEN.match(text, at, end)
        if found is None:
            message = (
                "a text or command does not end" if text[at] in "\"'`" else "unknown character"
            )
            raise _SyntaxProblemError(at, message)
        if found.lastgroup not in ("space", "comment"):
            yield str(found.lastgroup), found.group(), at
        at = found.end()


def parse_expression(text: str) -> Expression:
    """The expression between `{{` and `}}`; one that cannot be read is of the kind `other`."""
    try:
        tokens = _Tokens(text, 0, len(text))
        expression = _expression(tokens)
        tokens.done()
    except _SyntaxProblemError:
        return Expression("other", text)
    return expression


def _expression(tokens: _Tokens, depth: int = 0) -> Expression:
    if depth > _DEEPEST:
        raise _SyntaxProblemError(tokens.position(), "brackets stand too deep in each other")
    if tokens.peek() == "if" and tokens.kind() == "name":
        return _condition(tokens, depth)
    left = _value(tokens, depth)
    while tokens.kind() == "op" and tokens.peek() in ("+", "/", "&&", "||"):
        operator = tokens.next()
        right = _value(tokens, depth)
        kind = "join" if operator in "+/" else "other"
        left = Expression(kind, operator, (left, right))
    return left


def _condition(tokens: _Tokens, depth: int) -> Expression:
    tokens.word("if")
    parts = [_expression(tokens, depth + 1)]
    operator = tokens.next()
    parts.append(_expression(tokens, depth + 1))
    tokens.word("{")
    parts.append(_expression(tokens, depth + 1))
    tokens.word("}")
    tokens.word("else")
    if tokens.peek() == "if":
        parts.append(_condition(tokens, depth + 1))
    else:
        tokens.word("{")
        parts.append(_expression(tokens, depth + 1))
        tokens.word("}")
    return Expression("other" if operator not in ("==", "!=") else "if", operator, tuple(parts))


def _value(tokens: _Tokens, depth: int = 0) -> Expression:  # noqa: PLR0911 - a form each
    if depth > _DEEPEST:
        raise _SyntaxProblemError(tokens.position(), "brackets stand too deep in each other")
    kind = tokens.kind()
    if kind == "string":
        text = tokens.next()
        if text[0] in "xf":
            return Expression("other", text)
        return Expression("text", _unquoted(text))
    if kind == "command":
        return Expression("command", tokens.next().strip("`").strip())
    if tokens.takes("("):
        inner = _expression(tokens, depth + 1)
        tokens.word(")")
        return inner
    if tokens.takes("/"):
        right = _value(tokens, depth + 1)
        return Expression("join", "/", (Expression("text", ""), right))
    name = tokens.name()
    if not tokens.takes("("):
        return Expression("name", name)
    arguments: list[Expression] = []
    while not tokens.takes(")"):
        arguments.append(_expression(tokens, depth + 1))
        if not tokens.takes(",") and tokens.peek() != ")":
            raise _SyntaxProblemError(tokens.position(), "expected `,` or `)`")
    return Expression("call", name, tuple(arguments))


def _unquoted(text: str) -> str:
    if text.startswith(('"""', "'''")):
        inner = textwrap.dedent(text[3:-3].removeprefix("\n"))
    else:
        inner = text[1:-1]
    if text.startswith('"'):
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), inner, flags=re.DOTALL)
    return inner


def _plain(tokens: _Tokens) -> str:
    value = _value(tokens)
    tokens.done()
    return value.text if value.kind == "text" else ""


def _setting(tokens: _Tokens, line: int) -> Setting:
    tokens.word("set")
    name = tokens.name()
    if tokens.is_done():
        return Setting(name, ("true",), line)
    tokens.word(":=")
    if not tokens.takes("["):
        value = _expression(tokens)
        tokens.done()
        return Setting(name, (value.text,), line)
    values: list[str] = []
    while not tokens.takes("]"):
        values.append(_expression(tokens).text)
        if not tokens.takes(",") and tokens.peek() != "]":
            raise _SyntaxProblemError(tokens.position(), "expected `,` or `]`")
    tokens.done()
    return Setting(name, tuple(values), line)


def _attributes(tokens: _Tokens, line: int) -> Iterator[Attribute]:
    tokens.word("[")
    while not tokens.takes("]"):
        name = tokens.name()
        arguments: list[str] = []
        if tokens.takes(":"):
            arguments.append(_expression(tokens).text)
        elif tokens.takes("("):
            while not tokens.takes(")"):
                if tokens.peek(1) == "=":
                    tokens.next()
                    tokens.next()
                arguments.append(_expression(tokens).text)
                tokens.takes(",")
        yield Attribute(name, tuple(arguments), line)
        if not tokens.takes(",") and tokens.peek() != "]":
            raise _SyntaxProblemError(tokens.position(), "expected `,` or `]`")
    tokens.done()
