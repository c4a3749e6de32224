"""A folder with a pipeline for one test."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Self, Unpack

from pipec.api.command_line import CliResult, run_cli
from pipec.api.loading import load
from pipec.api.running import RunSettings, run_job, run_task
from pipec.ir.pipeline import Pipeline
from pipec.runtime.record import RunRecord


class Project:
    """A project of a test: files, and pipec as a user or a program calls it there.

    Without `folder` it makes one, and removes it at the end of a `with` statement. Commands see
    `env` and, for `PATH`, this process; nothing else of the machine that the test runs on.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._is_ours = folder is None
        self.folder = os.path.realpath(tempfile.mkdtemp() if folder is None else folder)
        self.env: dict[str, str] = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": self.folder,
            "LANG": "C.UTF-8",
            **(env or {}),
        }

    def write(self, path: str, text: str) -> str:
        """Writes a file of the project, with the folders that it needs; gives its whole path."""
        target = self.path(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
        return target

    def read(self, path: str) -> str:
        """The text of a file of the project.

        Raises:
            OSError: it cannot be read.
        """
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder in the project."""
        return os.path.lexists(self.path(path))

    def path(self, path: str) -> str:
        """The whole path of something in the project."""
        return os.path.join(self.folder, path)

    def load(self) -> Pipeline:
        """The project's pipeline.

        Raises:
            SpecError: there is none, or it is wrong.
        """
        return load(self.folder)

    def run_job(
        self,
        id: str,  # noqa: A002
        *,
        params: Mapping[str, str] | None = None,
        **settings: Unpack[RunSettings],
    ) -> RunRecord:
        """`pipec.run_job` in the project's own environment.

        Raises:
            PipecError: as `pipec.run_job`.
        """
        own: RunSettings = {"env": self.env, **settings}
        return run_job(self.load(), id, params=params, **own)

    def run_task(
        self,
        id: str,  # noqa: A002
        **settings: Unpack[RunSettings],
    ) -> RunRecord:
        """`pipec.run_task` in the project's own environment.

        Raises:
            PipecError: as `pipec.run_task`.
        """
        own: RunSettings = {"env": self.env, **settings}
        return run_task(self.load(), id, **own)

    def pipec(self, *args: str) -> CliResult:
        """What the command line prints for these arguments, in this process."""
        return run_cli(args, cwd=self.folder, env=self.env)

    def __enter__(self) -> Self:
        """The project."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Removes the folder if the project made it."""
        del kind, error, trace
        if self._is_ours:
            shutil.rmtree(self.folder, ignore_errors=True)
