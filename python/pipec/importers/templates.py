"""Go templates as Taskfiles use them: what is known now is filled in, the rest becomes shell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipec.importers.shells import spliced

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_FIELD = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)")
_DEFAULT_PIPE = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)\s*\|\s*default\s+[\"`]([^\"`]*)[\"`]")
_DEFAULT_CALL = re.compile(r"default\s+[\"`]([^\"`]*)[\"`]\s+\.([A-Za-z_][A-Za-z0-9_]*)")
_LITERAL = re.compile(r"[\"`]([^\"`]*)[\"`]")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_MOST_ROUNDS = 20


class UntranslatableError(Exception):
    """A template that only its own tool can fill in; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Command:
    """A variable whose value is what a command prints."""

    text: str


Variable = str | Command | tuple[str, ...]


@dataclass(slots=True)
class Filled:
    """A text without templates. `commands`: shell variables that it needs, with their commands."""

    text: str
    commands: dict[str, str] = field(default_factory=dict)
    arguments: bool = False


def fill(text: str, variables: Mapping[str, Variable]) -> Filled:
    """Fills a text in. A name that is no variable is one of the environment, as in its tool.

    Raises:
        UntranslatableError: it has a template that cannot be said in shell.
    """
    filled = Filled(text)
    for _ in range(_MOST_ROUNDS):
        if "{{" not in filled.text:
            return filled
        filled.text = _once(filled, variables)
        if "{{" in filled.text and not _ACTION.search(filled.text):
            raise UntranslatableError(filled.text)
    raise UntranslatableError(text)


def _once(filled: Filled, variables: Mapping[str, Variable]) -> str:
    text = filled.text
    return _ACTION.sub(lambda at: _spliced(text, at, _value(at, variables, filled)), text)


def _spliced(text: str, found: re.Match[str], value: str) -> str:
    """The value where its template stood: what the shell has to expand is not hidden by quotes."""
    if not value.startswith("${"):
        return value
    return spliced(_ACTION.sub("", text[: found.start()]), value)


def _value(found: re.Match[str], variables: Mapping[str, Variable], filled: Filled) -> str:
    action = found.group(1)
    if _COMMENT.fullmatch(action):
        return ""
    literal = _LITERAL.fullmatch(action)
    if literal is not None:
        return literal.group(1)
    fallback = ""
    name = ""
    if (match := _FIELD.fullmatch(action)) is not None:
        name = match.group(1)
    elif (match := _DEFAULT_PIPE.fullmatch(action)) is not None:
        name, fallback = match.groups()
    elif (match := _DEFAULT_CALL.fullmatch(action)) is not None:
        fallback, name = match.groups()
    else:
        raise UntranslatableError(found.group())
    if name in ("CLI_ARGS", "CLI_ARGS_LIST"):
        filled.arguments = True
        return fallback
    value = variables.get(name)
    if isinstance(value, tuple):
        raise UntranslatableError(found.group())
    if value is not None:
        # In its own value a name means the variable of the environment.
        others = {known: other for known, other in variables.items() if known != name}
        inner = fill(value if isinstance(value, str) else value.text, others)
        filled.commands.update(inner.commands)
        if isinstance(value, str):
            return inner.text or fallback
        filled.commands[name] = inner.text
        return f"${{{name}}}"
    if "}" in fallback or '"' in fallback:
        raise UntranslatableError(found.group())
    return f"${{{name}:-{fallback}}}"
