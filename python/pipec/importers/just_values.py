"""The values of a justfile's expressions: what is known, and what only a shell will know."""

import posixpath
import re
import shlex
from dataclasses import dataclass

_FOLDERS = ("justfile_directory", "justfile_dir", "invocation_directory", "invocation_dir")
_ENVIRONMENT = ("env", "env_var", "env_var_or_default")
SPECIAL = re.compile(r"[}\"'`$\\]")
"""What a default value in `${NAME:-…}` cannot hold as it is."""


class UntranslatableError(Exception):
    """An expression that only just itself can evaluate; the message quotes it."""


@dataclass(frozen=True, slots=True)
class Shell:
    """A piece of shell that gives a value when a step runs."""

    text: str


Value = tuple[str | Shell, ...]


def call(name: str, arguments: list[Value]) -> Value:
    """The value of a function, as far as it can be known or asked of the shell."""
    static = [shown(value) for value in arguments] if all(map(is_static_value, arguments)) else []
    if name in _FOLDERS:
        return (Shell("${PIPEC_ROOT}"),)
    if name == "num_cpus":
        return (Shell("$(getconf _NPROCESSORS_ONLN)"),)
    if name in _ENVIRONMENT and static and not SPECIAL.search("".join(static)):
        fallback = static[1] if len(static) > 1 else ""
        return (Shell(f"${{{static[0]}:-{fallback}}}"),)
    if static:
        return (_pure(name, static),)
    raise UntranslatableError(f"{name}()")


def _pure(name: str, arguments: list[str]) -> str:
    """The value of a function that depends on nothing but its arguments."""
    match name, arguments:
        case "uppercase", [text]:
            return text.upper()
        case "lowercase", [text]:
            return text.lower()
        case "trim", [text]:
            return text.strip()
        case "quote", [text]:
            return shlex.quote(text)
        case "replace", [text, old, new]:
            return text.replace(old, new)
        case "join", [first, *others]:
            return posixpath.join(first, *others)
        case _:
            pass
    raise UntranslatableError(f"{name}()")


def is_static_value(value: Value) -> bool:
    """Whether it is known before anything runs."""
    return all(isinstance(part, str) for part in value)


def shown(value: Value) -> str:
    """The value as it is written in a word of a shell."""
    return "".join(part if isinstance(part, str) else part.text for part in value)


def in_shell(value: Value) -> str:
    """The value inside of double quotes."""
    return "".join(
        re.sub(r'(["\\$`])', r"\\\1", part) if isinstance(part, str) else part.text
        for part in value
    )


def with_spaces(values: list[Value]) -> Value:
    """The values, a space between each two."""
    joined_value: list[str | Shell] = []
    for index, value in enumerate(values):
        joined_value += [" ", *value] if index else value
    return tuple(joined_value)


def variable_name(name: str) -> str:
    """A parameter as a part of the name of an environment variable."""
    return name.upper().replace("-", "_")
