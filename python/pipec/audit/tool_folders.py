"""Folders that tools keep for themselves in a project: their caches and their notes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

_TAG = "CACHEDIR.TAG"
_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"
"""How such a file begins, by the Cache Directory Tagging Specification (bford.info/cachedir)."""


@dataclass(frozen=True, slots=True)
class ToolFolder:
    """A folder, relative to the project. `is_cache`: it says of itself that nothing in it matters.

    Of any other it is only known that its own `.gitignore` leaves out everything in it.
    """

    path: str
    is_cache: bool


class ToolFolders:
    """Finds them; each folder is looked at once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._known: dict[str, ToolFolder | None] = {}

    def around(self, path: str) -> ToolFolder | None:
        """The outermost of them that a path is in, if it is in one."""
        for folder in _folders(path):
            if folder not in self._known:
                self._known[folder] = self._look_at(folder)
            if (found := self._known[folder]) is not None:
                return found
        return None

    def _look_at(self, folder: str) -> ToolFolder | None:
        if self._begin_of(folder, _TAG).startswith(_SIGNATURE):
            return ToolFolder(folder, is_cache=True)
        rules = [line.strip() for line in self._begin_of(folder, ".gitignore").splitlines()]
        if b"*" in rules and not any(rule.startswith(b"!") for rule in rules):
            return ToolFolder(folder, is_cache=False)
        return None

    def _begin_of(self, folder: str, name: str) -> bytes:
        try:
            with open(os.path.join(self._root, folder, name), "rb") as file:
                return file.read(4096)
        except OSError:
            return b""


def _folders(path: str) -> Iterator[str]:
    """The folders that a path is in, outermost first."""
    end = path.find("/")
    while end > 0:
        yield path[:end]
        end = path.find("/", end + 1)
