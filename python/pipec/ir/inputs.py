"""What decides whether a task must run again, and what it owns."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A glob relative to the pipeline's folder; `exclude` for the patterns written with `!`."""

    glob: str
    exclude: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRule:
    """All files that the named input selects, taken in or taken out as one."""

    named: str
    exclude: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPattern:
    """A glob of files that the task owns. One that is not `optional` must match after a success."""

    glob: str
    exclude: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileValueInput:
    """One value of a TOML, JSON or YAML file, addressed by a dotted key."""

    file: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvInput:
    """The value of a host variable."""

    env: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandInput:
    """The output of a command, run once per run."""

    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputsOfInput:
    """The declared outputs of a dependency, whole."""

    outputs_of: str


StructuredInput = FileValueInput | EnvInput | CommandInput | OutputsOfInput
InputRules = tuple[Rule | NamedRule, ...]
NamedInputs = Mapping[str, InputRules]
