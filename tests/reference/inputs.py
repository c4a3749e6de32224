"""Which files a task reads, found by looking at every file of the project, slowly and plainly."""

# Paths are bytes here, which pathlib does not know.
# ruff: noqa: PTH112, PTH114, PTH115, PTH118, PTH123

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.reference.globs import PATH, is_literal, literal_path, matches, reaches_below, sequences

Rules = Sequence[Mapping[str, Any]]
NEVER = {".git", ".pipec", "node_modules"}


@dataclass(frozen=True)
class Seen:
    """What counts of a file: its kind and its bytes, or a link's text. Missing: nothing."""

    kind: str
    contents: bytes = b""


@dataclass(frozen=True)
class Selection:
    """Rules, with what they need to be understood."""

    rules: Rules
    named: Mapping[str, Rules] = field(default_factory=dict)
    outputs: Rules = ()

    def selects(self, path: PATH) -> bool:
        """Whether the file of this path is an input."""
        if NEVER & set(path):
            return False
        return self._decide(self.rules, path) and not self._decide(self.outputs, path)

    def reaches_below(self, folder: PATH) -> bool:
        """Whether something below this folder could be an input."""
        return any(reaches_below(glob, folder) for glob in self._taken_in(self.rules))

    def literals(self) -> Iterator[PATH]:
        """The paths that patterns without magic name, if they are inputs."""
        for glob in self._taken_in(self.rules):
            for sequence in sequences(glob):
                if is_literal(sequence) and self.selects(literal_path(sequence)):
                    yield literal_path(sequence)

    def _decide(self, rules: Rules, path: PATH) -> bool:
        """The last rule that matches."""
        selected = False
        for rule in rules:
            applies = (
                matches(rule["glob"], path)
                if "glob" in rule
                else self._decide(self.named[rule["named"]], path)
            )
            if applies:
                selected = not rule.get("exclude", False)
        return selected

    def _taken_in(self, rules: Rules) -> Iterator[str]:
        for rule in rules:
            if rule.get("exclude", False):
                continue
            if "glob" in rule:
                yield rule["glob"]
            else:
                yield from self._taken_in(self.named[rule["named"]])


def look(root: str | os.PathLike[str], selection: Selection) -> dict[bytes, Seen]:
    """Every input that is there, or that a pattern without magic names in vain."""
    found = {}
    for path, full in every_file(os.fsencode(root)):
        is_folder_behind_link = os.path.islink(full) and os.path.isdir(full)
        if selection.selects(path) or (
            is_folder_behind_link and not NEVER & set(path) and selection.reaches_below(path)
        ):
            seen = read(full)
            if seen is not None:
                found[joined(path)] = seen
    walked = tuple(found)
    for literal in selection.literals():
        name = joined(literal)
        if name and not any(path == name or path.startswith(name + b"/") for path in walked):
            full = os.path.join(os.fsencode(root), name)
            if not os.path.lexists(full):
                found[name] = Seen("missing")
            elif behind_a_link(os.fsencode(root), literal) and not os.path.isdir(full):
                seen = read(full)
                if seen is not None:
                    found[name] = seen
    return found


def every_file(
    root: bytes, is_entered: Callable[[bytes], bool] = lambda _: True
) -> Iterator[tuple[PATH, bytes]]:
    """Every name below `root` that is no folder, links not followed."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if is_entered(name))
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted(files + links):
            full = os.path.join(folder, name)
            relative = os.path.relpath(full, root)
            yield (
                tuple(part.decode("utf-8", "surrogateescape") for part in relative.split(b"/")),
                full,
            )


def read(full: bytes) -> Seen | None:
    """What counts of one file; None for what has no contents."""
    status = os.lstat(full)
    if stat.S_ISLNK(status.st_mode):
        return Seen("link", os.readlink(full))
    if not stat.S_ISREG(status.st_mode):
        return None
    with open(full, "rb") as file:
        return Seen("executable" if status.st_mode & 0o111 else "file", file.read())


def behind_a_link(root: bytes, path: PATH) -> bool:
    """Whether a folder on the way is a link."""
    return any(
        os.path.islink(os.path.join(root, joined(path[:length]))) for length in range(1, len(path))
    )


def joined(path: PATH) -> bytes:
    """A path as the engine spells it."""
    return "/".join(path).encode("utf-8", "surrogateescape")
