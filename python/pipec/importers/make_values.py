"""Expands variables and functions of Makefiles as far as text goes; commands become shell."""

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_DEEPEST = 40
_LONGEST = 100_000
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL = re.compile(r"[}\"'`$\\\n]")
BUILT_IN = {
    "CC": "cc",
    "CXX": "g++",
    "CPP": "cc -E",
    "AR": "ar",
    "AS": "as",
    "LD": "ld",
    "FC": "f77",
    "RM": "rm -f",
    "ARFLAGS": "rv",
    "MAKE": "make",
    "SHELL": "/bin/sh",
    "CURDIR": ".",
    "MAKEFLAGS": "",
    "MAKECMDGOALS": "",
    "MAKELEVEL": "0",
    ".DEFAULT_GOAL": "",
}


_PROGRAMS = frozenset({"CC", "CXX", "CPP", "AR", "AS", "LD", "FC"})
"""What people set in the environment to choose another compiler."""


class UntranslatableError(Exception):
    """A reference that only make can expand; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Shell:
    """A piece of shell that gives a value when a step runs."""

    text: str


Value = tuple[str | Shell, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A value as written; `is_default`: the environment may say otherwise (`?=`).

    `value` is what it came to where it stands, if it was expanded there (`:=`).
    """

    text: str
    is_default: bool = False
    value: "Value | None" = None


@dataclass(slots=True)
class Expander:
    """Expands text. `asked`: names that only the environment may have."""

    variables: Mapping[str, Variable]
    glob: Callable[[str], list[str]]
    automatic: Mapping[str, str] = field(default_factory=dict)
    asked: dict[str, None] = field(default_factory=dict)
    is_forgiving: bool = False

    def value(self, text: str, depth: int = 0) -> Value:
        """The value of a text.

        Raises:
            UntranslatableError: it has a function or a reference that only make can expand.
        """
        if depth > _DEEPEST or len(text) > _LONGEST:
            raise UntranslatableError(text[:40])
        parts: list[str | Shell] = []
        at = 0
        while True:
            dollar = text.find("$", at)
            if dollar < 0 or dollar + 1 >= len(text):
                parts.append(text[at:])
                return _joined(parts)
            parts.append(text[at:dollar])
            follower = text[dollar + 1]
            if follower == "$":
                parts.append("$")
                at = dollar + 2
            elif follower in "({":
                end = _closing(text, dollar + 1)
                parts += self._reference(text[dollar + 2 : end], depth)
                at = end + 1
            else:
                parts += self._variable(follower, depth)
                at = dollar + 2

    def text(self, text: str) -> str:
        """The value of a text that has to be known now; a shell's piece is empty if forgiving.

        Raises:
            UntranslatableError: it has something else than text.
        """
        value = self.value(text)
        if not self.is_forgiving and any(isinstance(part, Shell) for part in value):
            raise UntranslatableError(text)
        return "".join(part for part in value if isinstance(part, str))

    def _reference(self, inner: str, depth: int) -> Value:
        function = re.match(r"([a-z-]+)[ \t\n]+", inner)
        if function is not None and (function.group(1) in _FUNCTIONS):
            return self._call(function.group(1), inner[function.end() :], depth)
        name, colon, rest = inner.partition(":")
        if colon and "=" in rest:
            old, _, new = rest.partition("=")
            words = self._known(self._variable(self._name(name, depth), depth)).split()
            pattern = old if "%" in old else f"%{old}"
            replacement = new if "%" in old else f"%{new}"
            return (" ".join(_patsubst(pattern, replacement, word) for word in words),)
        return self._variable(self._name(inner, depth), depth)

    def _name(self, text: str, depth: int) -> str:
        return self._known(self.value(text, depth + 1)).strip() if "$" in text else text.strip()

    def _known(self, value: Value) -> str:
        if any(isinstance(part, Shell) for part in value) and not self.is_forgiving:
            raise UntranslatableError("".join(_source(part) for part in value))
        return "".join(part for part in value if isinstance(part, str))

    def _variable(self, name: str, depth: int) -> Value:
        if name in self.automatic:
            return (self.automatic[name],)
        if len(name) == 2 and name[0] in self.automatic and name[1] in "DF":  # noqa: PLR2004
            words = self.automatic[name[0]].split()
            cut = posixpath.dirname if name[1] == "D" else posixpath.basename
            return (" ".join(cut(word) or "." for word in words),)
        if name in "@<^*?+|%" and len(name) == 1:
            raise UntranslatableError(f"${name}")
        variable = self.variables.get(name)
        if variable is None and name in BUILT_IN:
            default = BUILT_IN[name]
            is_fixed = self.is_forgiving or name not in _PROGRAMS
            return (default if is_fixed else Shell(f"${{{name}:-{default}}}"),)
        if variable is None:
            self.asked.setdefault(name)
            is_name = _ENVIRONMENT.fullmatch(name) is not None
            return (Shell(f"${{{name}:-}}"),) if is_name else ()
        value = variable.value
        if value is None:
            value = self.value(variable.text, depth + 1)
        if variable.is_default and _ENVIRONMENT.fullmatch(name):
            text = "".join(_source(part) for part in value)
            if not _SPECIAL.search(text) and not self.is_forgiving:
                return (Shell(f"${{{name}:-{text}}}"),)
        return value

    def _call(self, name: str, text: str, depth: int) -> Value:  # noqa: PLR0911 - a kind each
        if name == "shell":
            command = "".join(_source(part) for part in self.value(text, depth + 1))
            return (Shell(f"$({command.strip()})"),)
        arguments = _arguments(text)
        if name in ("info", "warning"):
            return ()
        if name == "call":
            return self._user_function(arguments, depth)
        if name == "foreach":
            return self._foreach(arguments, depth)
        if name in ("if", "or", "and"):
            return self._condition(name, arguments, depth)
        known = [self._known(self.value(argument, depth + 1)) for argument in arguments]
        if name == "wildcard":
            return (" ".join(path for word in known[0].split() for path in self.glob(word)),)
        function = _PURE.get(name)
        if function is None:
            raise UntranslatableError(f"$({name} ...)")
        try:
            return (function(*known),)
        except (TypeError, ValueError, IndexError):
            raise UntranslatableError(f"$({name} ...)") from None

    def _user_function(self, arguments: list[str], depth: int) -> Value:
        name = arguments[0].strip()
        variable = self.variables.get(name)
        if variable is None:
            raise UntranslatableError(f"$(call {name})")
        given = {"0": name}
        for index, argument in enumerate(arguments[1:], 1):
            given[str(index)] = self._known(self.value(argument, depth + 1))
        for index in range(len(arguments), 10):
            given.setdefault(str(index), "")
        inner = Expander(
            self.variables, self.glob, {**self.automatic, **given}, self.asked, self.is_forgiving
        )
        return inner.value(variable.text, depth + 1)

    def _foreach(self, arguments: list[str], depth: int) -> Value:
        if len(arguments) != 3:  # noqa: PLR2004 - a name, words, a text
            raise UntranslatableError("$(foreach ...)")
        name, words, text = arguments
        found: list[str] = []
        for word in self._known(self.value(words, depth + 1)).split():
            variables = {**self.variables, name.strip(): Variable(word.replace("$", "$$"))}
            inner = Expander(variables, self.glob, self.automatic, self.asked, self.is_forgiving)
            found.append(self._known(inner.value(text, depth + 1)))
        return (" ".join(found),)

    def _condition(self, name: str, arguments: list[str], depth: int) -> Value:
        if name == "if":
            holds = self._known(self.value(arguments[0].strip(), depth + 1)).strip()
            chosen = arguments[1:2] if holds else arguments[2:3]
            return self.value(chosen[0], depth + 1) if chosen else ()
        value: Value = ()
        for argument in arguments:
            value = self.value(argument.strip(), depth + 1)
            if bool(self._known(value).strip()) == (name == "or"):
                return value
        return value


def _joined(parts: list[str | Shell]) -> Value:
    return tuple(part for part in parts if part != "")


def _source(part: str | Shell) -> str:
    return part if isinstance(part, str) else part.text


def _closing(text: str, start: int) -> int:
    opening, closing = text[start], ")" if text[start] == "(" else "}"
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] == opening) - (text[index] == closing)
        if depth == 0:
            return index
    raise UntranslatableError(text[start - 1 : start + 20])


def _arguments(text: str) -> list[str]:
    found = [""]
    depth = 0
    for character in text:
        depth += (character in "({") - (character in ")}")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return found


def _patsubst(pattern: str, replacement: str, word: str) -> str:
    before, percent, after = pattern.partition("%")
    if not percent:
        return replacement if word == pattern else word
    is_match = word.startswith(before) and word.endswith(after)
    if not is_match or len(word) < len(before) + len(after):
        return word
    return replacement.replace("%", word[len(before) : len(word) - len(after)], 1)


def matches(pattern: str, word: str) -> bool:
    """Whether a word fits a pattern with at most one `%`."""
    before, percent, after = pattern.partition("%")
    if not percent:
        return pattern == word
    is_long = len(word) >= len(before) + len(after)
    return is_long and word.startswith(before) and word.endswith(after)


def _filter(patterns: str, text: str, *, keep: bool) -> str:
    words = text.split()
    return " ".join(w for w in words if any(matches(p, w) for p in patterns.split()) == keep)


def _each(text: str, change: Callable[[str], str]) -> str:
    return " ".join(change(word) for word in text.split())


_PURE: dict[str, Callable[..., str]] = {
    "subst": lambda old, new, text: text.replace(old, new) if old else text,
    "patsubst": lambda old, new, text: _each(
        text, lambda word: _patsubst(old.strip(), new.strip(), word)
    ),
    "strip": lambda text: " ".join(text.split()),
    "findstring": lambda part, text: part if part in text else "",
    "filter": lambda patterns, text: _filter(patterns, text, keep=True),
    "filter-out": lambda patterns, text: _filter(patterns, text, keep=False),
    "sort": lambda text: " ".join(sorted(set(text.split()))),
    "word": lambda n, text: " ".join(text.split()[int(n) - 1 : int(n)]),
    "words": lambda text: str(len(text.split())),
    "wordlist": lambda a, b, text: " ".join(text.split()[int(a) - 1 : int(b)]),
    "firstword": lambda text: " ".join(text.split()[:1]),
    "lastword": lambda text: " ".join(text.split()[-1:]),
    "dir": lambda text: _each(text, lambda word: (posixpath.dirname(word) or ".") + "/"),
    "notdir": lambda text: _each(text, posixpath.basename),
    "suffix": lambda text: _each(text, lambda word: posixpath.splitext(word)[1]),
    "basename": lambda text: _each(text, lambda word: posixpath.splitext(word)[0]),
    "addsuffix": lambda suffix, text: _each(text, lambda word: word + suffix),
    "addprefix": lambda prefix, text: _each(text, lambda word: prefix + word),
    "join": lambda a, b: " ".join(x + y for x, y in zip(a.split(), b.split(), strict=True)),
}
_FUNCTIONS = frozenset(
    {*_PURE, "shell", "call", "foreach", "if", "or", "and", "wildcard", "eval", "file", "origin",
     "flavor", "value", "abspath", "realpath", "error", "warning", "info", "guile", "let", "intcmp"}
)  # fmt: skip
