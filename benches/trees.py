"""Keeps the trees of a benchmark, one for each tool, and brings them into wanted states."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from benches.build import HERE, ROOT, Built
from benches.monorepo import MARKER
from benches.plan import Shape
from benches.rivals import Tool

FULL: Final = {
    "S": Shape(packages=50, files_per_package=40),
    "M": Shape(packages=500, files_per_package=100),
    "L": Shape(packages=1000, files_per_package=250),
    "E": Shape(packages=500, files_per_package=100, outputs=0),
    "R": Shape(packages=1000, files_per_package=25, outputs=20),
}
"""S, M and L differ in size; the tasks of E do nothing; those of R have 20 outputs each."""

QUICK: Final = {
    "S": FULL["S"],
    "E": Shape(packages=50, files_per_package=40, outputs=0),
    "R": Shape(packages=50, files_per_package=25, outputs=20),
}

MILLION: Final = {"X": Shape(packages=4000, files_per_package=250, bytes_mean=64)}

GROUND: Final = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "pipec-bench"
)
"""Where trees are: not in this repository. It would be taken for theirs when their own is hidden,
and turbo would find every file ignored and digest none."""

# Beside the trees, so that moving there is a rename, and outside of what any later walk sees.
AWAY: Final = GROUND / "away"
HIDDEN_GIT: Final = GROUND / "hidden-git"
LEFT_OUT: Final = (".git", "node_modules", "dist", ".pipec")
"""Folders that the probe does not enter: no declared input is below them."""


@dataclass(slots=True)
class Tree:
    """One monorepo on disk, for one tool."""

    name: str
    shape: Shape
    tool: Tool
    folder: Path
    edited: Path
    _moved: "count[int]" = field(default_factory=count)
    _original: bytes = b""

    def edit(self) -> None:
        """Changes a source of a package that no other depends on: two tasks have to run."""
        if not self._original:
            self._original = self.edited.read_bytes()
        # Never a content that was there before: its result would be found.
        self.edited.write_bytes(self._original + b"// %d\n" % time.time_ns())

    def undo_edit(self) -> None:
        """Puts the edited file back as it was generated."""
        if self._original:
            self.edited.write_bytes(self._original)

    def forget(self, patterns: tuple[str, ...]) -> None:
        """Moves away what matches, as if it had never been there. `!` keeps what it matches.

        Moved and not deleted: a file system without a journal avoids inodes freed a moment ago, and
        whoever creates files next would pay for that.

        Raises:
            FileNotFoundError: nothing matches; a number for a cold run would be one for a warm run.
        """
        found: set[Path] = set()
        for pattern in patterns:
            kept = pattern.startswith("!")
            matched = set(self.folder.glob(pattern.removeprefix("!")))
            found = found - matched if kept else found | matched
        if not found:
            raise FileNotFoundError(f"{self.tool.name}: nothing matches {' '.join(patterns)}")
        for path in found:
            self._move_away(path)

    def outputs(self) -> list[Path]:
        """The folder of outputs of every package."""
        return [package / "dist" for package in sorted((self.folder / "packages").iterdir())]

    def forget_outputs(self) -> None:
        """Moves every output away."""
        for outputs in self.outputs():
            self._move_away(outputs)

    def hide_git(self) -> None:
        """Takes the repository away for a while."""
        (self.folder / ".git").rename(HIDDEN_GIT)

    def show_git(self) -> None:
        """Puts the repository back."""
        HIDDEN_GIT.rename(self.folder / ".git")

    def stamps(self) -> dict[str, tuple[int, int, int]]:
        """Inode and times of every output: what is written again changes one of them."""
        stamps = {}
        for outputs in self.outputs():
            for path in outputs.iterdir():
                status = path.stat()
                stamps[f"{outputs.parent.name}/{path.name}"] = (
                    status.st_ino,
                    status.st_mtime_ns,
                    status.st_ctime_ns,
                )
        return stamps

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return 2 * self.shape.packages

    def _move_away(self, path: Path) -> None:
        AWAY.mkdir(exist_ok=True)
        path.rename(AWAY / f"{self.folder.name}-{next(self._moved)}-{path.name}")


def provide(name: str, shape: Shape, tool: Tool) -> Tree:
    """The tree of a tool: one from an earlier benchmark, or made now.

    Raises:
        NotADirectoryError: the trees would be part of somebody's repository.
    """
    if any((parent / ".git").exists() for parent in GROUND.parents):
        raise NotADirectoryError(f"{GROUND} is in a repository; XDG_CACHE_HOME moves it")
    folder = GROUND / "trees" / _generation() / f"{name}{shape.packages}-{tool.config[0]}"
    marker = folder / MARKER
    whole = marker.is_file() and ("git" not in tool.config or (folder / ".git").is_dir())
    if not whole or json.loads(marker.read_text())["shape"] != asdict(shape):
        shutil.rmtree(folder, ignore_errors=True)
        _generate(shape, folder, tool)
    for path, target in tool.links.items():
        if not (folder / path).is_symlink():
            (folder / path).symlink_to(target)
    edited = json.loads(marker.read_text())["edited"]
    return Tree(name, shape, tool, folder, folder / edited)


def _generate(shape: Shape, folder: Path, tool: Tool) -> None:
    """Makes a tree, in a process of its own: others start with the peak memory of this one."""
    command = [sys.executable, "-m", "benches.monorepo", "--out", str(folder)]
    for name, value in asdict(shape).items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    subprocess.run([*command, "--emit", ",".join(tool.config)], cwd=ROOT, check=True)


def floor(built: Built, what: str, tree: Tree, index: Path) -> tuple[str, ...]:
    """The command line of the probe for a tree, with two threads."""
    arguments = [str(built.floors), what, str(tree.folder), "-j", "2", "-i", str(index)]
    for name in LEFT_OUT:
        arguments += ["-x", name]
    return tuple(arguments)


def take_index(built: Built, tree: Tree, index: Path) -> tuple[int, int]:
    """Writes the probe's index of a tree as it is now; gives numbers of folders and of files."""
    done = subprocess.run(
        floor(built, "index", tree, index), stdout=subprocess.PIPE, text=True, check=True
    )
    words = done.stdout.split()
    return int(words[words.index("folders,") - 1]), int(words[words.index("files,") - 1])


def clear_away() -> None:
    """Deletes what was moved away, and trees that an older generator has made."""
    shutil.rmtree(AWAY, ignore_errors=True)
    shutil.rmtree(HIDDEN_GIT, ignore_errors=True)  # of a benchmark that was killed
    trees = GROUND / "trees"
    for old in trees.iterdir() if trees.is_dir() else ():
        if old.name != _generation():
            shutil.rmtree(old)


def _generation() -> str:
    """Changes when the generator changes."""
    parts = (HERE / f"{name}.py" for name in ("plan", "tree", "emitters", "monorepo"))
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:8]
