"""A shell command with values in it, each quoted so that the shell takes it as it is."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, Protocol

    class Interpolation(Protocol):
        """A value of a t-string."""

        value: Any
        conversion: str | None
        format_spec: str

    class Template(Protocol):
        """A t-string, `string.templatelib.Template` of Python 3.14."""

        strings: tuple[str, ...]
        interpolations: tuple[Interpolation, ...]


_PLACE = re.compile(r"\{\{\}\}|\{\}")
_CONVERSIONS: dict[str, Callable[[object], str]] = {"a": ascii, "r": repr, "s": str}
# Every character that PowerShell takes for a single quote.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
_UNSAFE = re.compile(r"[^\w@%+=:,./-]", re.ASCII)


class sh:  # noqa: N801 - written like a word of the language
    """A shell step that a `dynamic` function returns.

        sh("pnpm add {}", "left-pad@1.3.0")
        sh("tar cf {} {}", archive, ["a b", "c"])     # a list becomes several words
        sh(t"pnpm add {package}")                     # Python 3.14

    Each `{}` stands for the next value, quoted for the shell; `{{}}` is the text `{}`, and every
    other brace is itself. Values are text, numbers, paths, and lists of these. `name`, `cwd`,
    `env`, `shell` and `timeout` mean what they mean for a shell step of the pipeline file; a
    timeout is in seconds.

    Raises:
        ValueError: there are more or fewer values than places; or a place is inside quotes, a
            comment or a here-document, where quoting would not protect the command.
        TypeError: a value is of another type.
    """

    __slots__ = ("_parts", "cwd", "env", "name", "shell", "timeout")

    def __init__(
        self,
        command: str | Template,
        *values: object,
        name: str = "",
        cwd: str | os.PathLike[str] = "",
        env: Mapping[str, str] | None = None,
        shell: Sequence[str] = (),
        timeout: float | None = None,
    ) -> None:
        self._parts: tuple[tuple[str, tuple[str, ...]], ...]
        if isinstance(command, str):
            texts = _split(command) if values else [command]
        else:
            texts, values = _from_template(command, values)
        if len(texts) - 1 != len(values):
            raise ValueError(
                f"the command has {len(texts) - 1} places `{{}}` for {len(values)} values"
            )
        _check_places(texts)
        words: list[tuple[str, ...]] = [tuple(_words(value)) for value in values]
        self._parts = tuple(zip(texts, (*words, ()), strict=True))
        self.name = name
        self.cwd = os.fspath(cwd)
        self.env = dict(env or {})
        self.shell = (shell,) if isinstance(shell, str) else tuple(shell)
        self.timeout = timeout

    @property
    def command(self) -> str:
        """The command, its values quoted for a POSIX shell."""
        return self.quoted_for("sh")

    def quoted_for(self, program: str) -> str:
        """The command with its values quoted for a shell, by the name of its program.

        Raises:
            ValueError: there are values, and no way to quote them for that shell.
        """
        family = os.path.basename(program).lower().removesuffix(".exe")
        quote = _QUOTE.get(family, quote_posix)
        has_values = len(self._parts) > 1
        if has_values and family in ("cmd", "command"):
            raise ValueError("values cannot be quoted for `cmd`: pass them in the environment")
        return "".join(text + " ".join(map(quote, words)) for text, words in self._parts)

    def __repr__(self) -> str:
        return f"sh({self.command!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, sh):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self.command)

    def _identity(self) -> tuple[object, ...]:
        return (self.command, self.name, self.cwd, self.env, self.shell, self.timeout)


def quote_posix(word: str) -> str:
    """One word of a POSIX shell."""
    if word and not _UNSAFE.search(word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def quote_powershell(word: str) -> str:
    """One word of PowerShell."""
    return "'" + _POWERSHELL_QUOTES.sub(r"\1\1", word) + "'"


_QUOTE = {"pwsh": quote_powershell, "powershell": quote_powershell}


def _split(command: str) -> list[str]:
    """The texts around the places of a command."""
    texts, start = [""], 0
    for found in _PLACE.finditer(command):
        texts[-1] += command[start : found.start()]
        start = found.end()
        if found[0] == "{}":
            texts.append("")
        else:
            texts[-1] += "{}"
    texts[-1] += command[start:]
    return texts


def _from_template(
    template: Template, values: tuple[object, ...]
) -> tuple[list[str], tuple[object, ...]]:
    strings = getattr(template, "strings", None)
    interpolations = getattr(template, "interpolations", None)
    if strings is None or interpolations is None:
        raise TypeError(f"a command is text or a t-string, not `{type(template).__name__}`")
    if values:
        raise ValueError("a t-string has its values in it")
    return list(strings), tuple(map(_interpolated, interpolations))


def _interpolated(interpolation: Interpolation) -> object:
    value = interpolation.value
    if interpolation.conversion:
        value = _CONVERSIONS[interpolation.conversion](value)
    return format(value, interpolation.format_spec) if interpolation.format_spec else value


def _words(value: object) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for item in value:
            if isinstance(item, (list, tuple)):
                raise TypeError("a value of `sh` is no list of lists")
            yield from _words(item)
        return
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError(
            f"a value of `sh` is text, a number, a path, or a list of these, "
            f"not `{type(value).__name__}`"
        )
    text = str(value)
    if "\0" in text:
        raise ValueError("a value of `sh` holds a zero byte, which no command can")
    yield text


def _check_places(texts: Sequence[str]) -> None:
    """Each value must stand where its quotes are the outermost ones."""
    scan = _Scan()
    for number, text in enumerate(texts[:-1], start=1):
        scan.read(text)
        where = scan.trouble()
        if where:
            raise ValueError(f"value {number} of `sh` stands {where}, where it cannot be quoted")
        scan.pass_value()


class _Scan:
    """Reads a command as far as to say whether quotes at a place would be quotes.

    In doubt they would not: the author is told, and writes the command another way.
    """

    def __init__(self) -> None:
        self._quote = ""
        self._before = "\n"
        self._is_escaped = False
        self._is_comment = False
        self._in_backticks = False
        self._arithmetic = 0
        self._heredoc = False
        self._in_heredoc = False
        self._recent = ""

    def read(self, text: str) -> None:
        """Goes on to the end of a text."""
        for character in text:
            self._step(character)
            self._recent = (self._recent + character)[-3:]
            self._before = character

    def pass_value(self) -> None:
        """Goes on behind a value."""
        self._before = self._recent = "x"

    def trouble(self) -> str:
        """Why a value here could not be quoted; empty if it could."""
        troubles = {
            "inside quotes": bool(self._quote),
            "behind a backslash": self._is_escaped,
            "behind a `$`": self._before == "$",
            "in a comment": self._is_comment,
            "in backticks": self._in_backticks,
            "in arithmetic": self._arithmetic > 0,
            "in or after a here-document": self._in_heredoc or self._heredoc,
        }
        return next((words for words, is_so in troubles.items() if is_so), "")

    def _step(self, character: str) -> None:
        if self._is_escaped:
            self._is_escaped = False
            return
        if self._is_comment:
            self._is_comment = character != "\n"
            self._end_line(character)
            return
        if self._quote == "'":
            self._quote = "" if character == "'" else "'"
            return
        if character == "\\":
            self._is_escaped = True
            return
        if self._quote == '"':
            self._quote = "" if character == '"' else '"'
            return
        if character in "'\"":
            self._quote = character
        elif character == "`":
            self._in_backticks = not self._in_backticks
        elif character == "#" and self._before in " \t\n;&|()":
            self._is_comment = True
        elif character == "(" and self._before == "(":
            self._arithmetic += 1
        elif character == ")" and self._before == ")":
            self._arithmetic = max(0, self._arithmetic - 1)
        elif character == "<" and self._recent.endswith("<"):
            # `<<<` takes one word, and that can be quoted.
            self._heredoc = not self._recent.endswith("<<")
        self._end_line(character)

    def _end_line(self, character: str) -> None:
        if character == "\n" and self._heredoc:
            self._in_heredoc = True
