"""Generated files of a project: written all or none, or compared with what is there."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipec.codes import Code
from pipec.errors import RunError

_NEW = ".pipec-new"
_OLD = ".pipec-old"


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """A file as it should be: its path below the root, with slashes, and its bytes.

    `content` None: the file should not be there.
    """

    path: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Stale:
    """A file that is not as it should be."""

    path: str
    state: Literal["missing", "different", "left-over"]


def compare_files(root: str, files: Iterable[GeneratedFile]) -> tuple[Stale, ...]:
    """The files that are not as they should be, in the order given.

    A checkout with other line endings is the same text.

    Raises:
        RunError: a file cannot be read.
    """
    states = ((file.path, _state(root, file)) for file in files)
    return tuple(Stale(path, state) for path, state in states if state is not None)


def write_files(root: str, files: Sequence[GeneratedFile]) -> tuple[Stale, ...]:
    """Brings every file to where it should be, or leaves all of them alone; gives what changed.

    Everything is written beside its place first, and then put there by renaming; a renaming that
    fails takes back those before it. A link is followed: what it points to is replaced.

    Raises:
        RunError: a file cannot be read or written.
    """
    changed = compare_files(root, files)
    wanted = {file.path: file.content for file in files}
    targets = [(os.path.realpath(os.path.join(root, item.path)), item) for item in changed]
    prepared: list[str] = []
    try:
        for target, item in targets:
            content = wanted[item.path]
            if content is not None:
                prepared.append(target + _NEW)
                _prepare(target, content)
        _put_in_place(targets)
    except OSError as error:
        for leftover in prepared:
            with contextlib.suppress(OSError):
                os.unlink(leftover)
        name = os.path.relpath(error.filename, root) if error.filename else "a file"
        name = name.removesuffix(_NEW).removesuffix(_OLD)
        message = f"cannot write `{name}`: {error.strerror}"
        raise RunError(
            Code.STATE_UNWRITABLE, message, help=("no generated file was changed",)
        ) from error
    return changed


def unified(content: bytes) -> bytes:
    """The bytes with line endings as they are generated."""
    return content.replace(b"\r\n", b"\n")


def _state(root: str, file: GeneratedFile) -> Literal["missing", "different", "left-over"] | None:
    present = read_file(root, file.path)
    if file.content is None:
        return None if present is None else "left-over"
    if present is None:
        return "missing"
    return None if unified(present) == unified(file.content) else "different"


def read_file(root: str, path: str) -> bytes | None:
    """The bytes of a file below the root; None if there is none.

    Raises:
        RunError: it is there and cannot be read.
    """
    try:
        with open(os.path.join(root, path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"cannot read `{path}`: {error.strerror}"
        raise RunError(Code.UNREADABLE_FILE, message) from error


def _prepare(target: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + _NEW, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileNotFoundError):
        os.chmod(target + _NEW, stat.S_IMODE(os.stat(target).st_mode))


def _put_in_place(targets: Sequence[tuple[str, Stale]]) -> None:
    """Renames; what was there is kept aside until all are in place."""
    moved: list[tuple[str, bool]] = []
    try:
        for target, item in targets:
            was_there = item.state != "missing"
            if was_there:
                _keep_aside(target)
            moved.append((target, was_there))
            if item.state == "left-over":
                os.unlink(target)
            else:
                os.replace(target + _NEW, target)
    except OSError:
        for target, was_there in reversed(moved):
            with contextlib.suppress(OSError):
                if was_there:
                    os.replace(target + _OLD, target)
                else:
                    os.unlink(target)
        raise
    finally:
        # Also after taking back: renaming a second name over the first of one file removes neither.
        for target, was_there in moved:
            if was_there:
                with contextlib.suppress(OSError):
                    os.unlink(target + _OLD)


def _keep_aside(target: str) -> None:
    """A second name for the file: at no instant is there none at its place."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(target + _OLD)
    try:
        os.link(target, target + _OLD)
    except OSError:
        # Not every file system knows second names.
        shutil.copy2(target, target + _OLD)
