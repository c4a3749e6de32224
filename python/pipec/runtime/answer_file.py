"""The file that takes what an agent prints: inside the task's folder, whole or not at all."""

import contextlib
import os
import secrets
from types import TracebackType
from typing import Self

from pipec.codes import Code
from pipec.errors import RunError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class AnswerFile:
    """Takes bytes; `keep` puts them in the place of the file. Without a path it takes nothing.

    No link leads out of the folder: it is opened from there downwards, a folder at a time.

    Raises:
        RunError: the path leaves the folder, or the file cannot be written.
    """

    def __init__(self, folder: str, path: str) -> None:
        self._folder = folder
        self._path = path
        self._place = -1
        self._file = -1
        self._unfinished = ""

    def __enter__(self) -> Self:
        if self._path:
            try:
                self._open()
            except OSError as error:
                self._close()
                raise self._trouble(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def write(self, data: bytes) -> None:
        """The next bytes, as they are."""
        view = memoryview(data)
        while view and self._file >= 0:
            try:
                view = view[os.write(self._file, view) :]
            except OSError as error:
                raise self._trouble(error) from error

    def keep(self) -> None:
        """The answer is whole: puts it in place."""
        if self._file < 0:
            return
        name = os.path.basename(self._path)
        try:
            os.replace(self._unfinished, name, src_dir_fd=self._place, dst_dir_fd=self._place)
        except OSError as error:
            raise self._trouble(error) from error
        self._unfinished = ""

    def _open(self) -> None:
        folder = os.path.realpath(self._folder)
        inside = os.path.dirname(self._path)
        # Links that stay inside are followed here, and none that are put there afterwards below.
        real = os.path.realpath(os.path.join(folder, inside))
        if real != folder and not real.startswith(folder.rstrip("/") + "/"):
            message = (
                f"the answer cannot be written to `{self._path}`: a link leads out of the folder"
            )
            raise RunError(Code.ANSWER_UNWRITABLE, message)
        self._place = os.open(folder, _FOLDER)
        for part in os.path.relpath(real, folder).split("/"):
            if part != ".":
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=self._place)
                deeper = os.open(part, _FOLDER, dir_fd=self._place)
                os.close(self._place)
                self._place = deeper
        self._unfinished = f".{secrets.token_hex(8)}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(self._unfinished, flags, 0o666, dir_fd=self._place)

    def _close(self) -> None:
        if self._unfinished and self._file >= 0:
            with contextlib.suppress(OSError):
                os.unlink(self._unfinished, dir_fd=self._place)
        for descriptor in (self._file, self._place):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._place = -1

    def _trouble(self, error: OSError) -> RunError:
        message = f"the answer cannot be written to `{self._path}`: {error.strerror}"
        return RunError(Code.ANSWER_UNWRITABLE, message)
