"""One call of the command line: where it was made, in which environment, with which settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pipec.cli.console import Console
from pipec.cli.options import Settings, UsageError
from pipec.frontend import compiled, discover
from pipec.ir.codec import decode
from pipec.ir.pipeline import Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What every command gets.

    `owns_process`: signals of this process are for the command, as on a command line. `arguments`
    stood behind `--`, for the commands that take any.
    """

    cwd: str
    environ: Mapping[str, str]
    settings: Settings
    console: Console
    owns_process: bool = True
    arguments: tuple[str, ...] = ()

    @property
    def start(self) -> str:
        """The folder in which the command was called, or the one that `-C` names.

        Raises:
            UsageError: `-C` names no folder.
        """
        folder = os.path.join(self.cwd, self.settings.directory or "")
        if not os.path.isdir(folder):
            raise UsageError(f"`{self.settings.directory}` is not a folder")
        return folder

    def find(self) -> discover.Found:
        """The project's pipeline file.

        Raises:
            SpecError: there is none, or more than one.
        """
        return discover.find(self.start, self.settings.file)

    def compile(self) -> tuple[discover.Found, compiled.Compiled]:
        """The project's compiled pipeline, from the cache when the file is unchanged.

        Raises:
            SpecError: the file is missing or wrong.
        """
        found = self.find()
        return found, compiled.load(found, state=state_folder(found))

    def load(self) -> tuple[discover.Found, Pipeline]:
        """The project's pipeline.

        Raises:
            SpecError: the file is missing or wrong.
        """
        found, result = self.compile()
        return found, decode(result.pipeline_bytes)


def state_folder(found: discover.Found) -> str:
    """The folder in which pipec keeps everything about a project."""
    return os.path.join(found.root, ".pipec")
