"""Inputs and outputs, §6 of the language."""

from typing import Annotated, ClassVar

from pydantic import Tag

from pipec.spec.base import Spec, by_form, by_key
from pipec.spec.paths import Path, Pattern
from pipec.spec.scalars import EnvName, Text


class FileValueSpec(Spec):
    """One value of a TOML, JSON or YAML file."""

    noun: ClassVar[str] = "a file value"

    file: Path
    """The file, relative to the pipeline's folder.

    file = "package.json"
    """
    key: Text
    """The value's place in it: `dependencies.react`.

    key = "dependencies.react"
    """


class EnvInputSpec(Spec):
    """The value of a host variable."""

    noun: ClassVar[str] = "an environment input"

    env: EnvName
    """The variable's name.

    env = "NODE_ENV"
    """


class CommandInputSpec(Spec):
    """What a command prints."""

    noun: ClassVar[str] = "a command input"

    command: Text
    """The command, for `sh`, which ends at its first failing line; it has to exit with 0.

    command = "node --version"
    """


class OutputsOfSpec(Spec):
    """The declared outputs of a dependency."""

    noun: ClassVar[str] = "an outputs input"

    outputs_of: Text
    """The dependency.

    outputs-of = "codegen"
    """


InputItem = Annotated[
    Annotated[Pattern, Tag("text")]
    | Annotated[FileValueSpec, Tag("file")]
    | Annotated[EnvInputSpec, Tag("env")]
    | Annotated[CommandInputSpec, Tag("command")]
    | Annotated[OutputsOfSpec, Tag("outputs-of")],
    by_form(
        by_key("file", "env", "command", "outputs-of", text=True),
        "an input is a pattern, the name of a named input, or a table with "
        "`file`, `env`, `command` or `outputs-of`",
    ),
]


class OutputSpec(Spec):
    """A pattern of files that the task owns, with what is to be expected of it."""

    noun: ClassVar[str] = "an output"

    glob: Pattern
    """The pattern.

    glob = "coverage/**"
    """
    optional: bool = False
    """Whether it may match nothing after a success.

    optional = true
    """


OutputItem = Annotated[
    Annotated[Pattern, Tag("text")] | Annotated[OutputSpec, Tag("glob")],
    by_form(by_key("glob", text=True), "an output is a pattern, or a table with `glob`"),
]
