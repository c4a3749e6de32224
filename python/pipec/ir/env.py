"""Values of environment variables, as declared: how each is found is decided when a task runs."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """The text itself."""

    value: str
    in_key: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Host variable `secret`, else the host's value of the destination key; masked everywhere."""

    secret: str
    in_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """Host variable `var`, else the destination key, else `default`; then through `map`, if any."""

    var: str
    default: str | None = None
    map: Mapping[str, str] | None = None
    in_key: bool = True


EnvValue = Literal | Secret | Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvFile:
    """A dotenv file, relative to the pipeline's folder."""

    path: str
    optional: bool = False
