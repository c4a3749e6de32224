"""Writes what every tool finds in a generated monorepo: sources, outputs, manifests."""

import json
import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benches.plan import WORDS, Monorepo

IGNORED_FILES_PER_FOLDER: Final = 10
IGNORED_BYTES: Final = 512

# What is not a source, and what the tools of the benchmark leave in a tree.
IGNORED: Final = (
    *("node_modules/", "dist/", ".monorepo.json"),
    *(".pipec/", ".turbo/", ".nx/", ".moon/cache/", ".ninja_*"),
)


@dataclass(slots=True)
class TreeWriter:
    """Writes files below one folder, making each folder of theirs once."""

    root: Path
    _made: set[str] = field(default_factory=set)

    def write(self, path: str, content: bytes | str) -> None:
        """Writes one file; `path` is relative to the tree."""
        parent = os.path.dirname(path)  # noqa: PTH120 - a Path for each of 250,000 files takes seconds
        if parent not in self._made:
            (self.root / parent).mkdir(parents=True, exist_ok=True)
            self._made.add(parent)
        with open(f"{self.root}/{path}", "wb", buffering=0) as file:  # noqa: PTH123 - as above
            file.write(content.encode() if isinstance(content, str) else content)

    def write_json(self, path: str, content: object) -> None:
        """Writes a value as JSON, its keys in the order in which they were made."""
        self.write(path, json.dumps(content, indent=2) + "\n")

    def link(self, path: str, target: str) -> None:
        """Makes a symbolic link."""
        link = self.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)


class Filler:
    """Makes text that looks like source code, of a wanted size and different for each path."""

    _POOL_LINES: Final = 40_000

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        lines = (
            "export const {} = ({}) => {}({});\n".format(*self._rng.choices(WORDS, k=4))
            for _ in range(self._POOL_LINES)
        )
        self._pool = "".join(lines).encode()

    def text(self, path: str, size: int) -> bytes:
        """As many bytes as asked for, or as the line that names the path needs."""
        header = f"// {path}\n".encode()
        repeats, rest = divmod(max(0, size - len(header)), len(self._pool))
        start = self._rng.randrange(len(self._pool) - rest)
        return header + self._pool * repeats + self._pool[start : start + rest]


def write_files(repo: Monorepo, writer: TreeWriter) -> None:
    """Writes sources, outputs and what is ignored."""
    filler = Filler(repo.shape.seed)
    for package in repo.packages:
        for file in package.files:
            path = f"{package.folder}/{file.path}"
            content = filler.text(path, file.size)
            writer.write(path, content)
            if file.path.startswith("src/public/"):
                writer.write(
                    f"{package.folder}/dist/{file.path.removeprefix('src/public/')}", content
                )
        for number in range(3):
            path = f"{package.folder}/node_modules/.cache/{number}.txt"
            writer.write(path, filler.text(path, IGNORED_BYTES))
        writer.link(f"node_modules/{package.name}", f"../{package.folder}")
    for number in range(repo.shape.ignored_files):
        library = number // IGNORED_FILES_PER_FOLDER
        path = f"node_modules/dep-{library // 10:04}/lib-{library % 10}/{number:06}.js"
        writer.write(path, filler.text(path, IGNORED_BYTES))
    writer.write(".gitignore", "".join(f"{pattern}\n" for pattern in IGNORED))


def write_manifests(repo: Monorepo, writer: TreeWriter) -> None:
    """Writes the package.json files and the lockfile, which several tools read for the graph."""
    name = "synthetic-monorepo"
    workspace = {"name": name, "version": "1.0.0", "workspaces": ["packages/*"]}
    manager = {"private": True, "packageManager": "npm@11.0.0"}
    writer.write_json("package.json", workspace | manager)
    locked: dict[str, object] = {"": workspace}
    for package in repo.packages:
        dependencies = dict.fromkeys(package.dependencies, "*")
        manifest = {"name": package.name, "version": "1.0.0", "dependencies": dependencies}
        scripts = {"build": repo.build_command, "test": "true"}
        writer.write_json(
            f"{package.folder}/package.json", manifest | {"private": True, "scripts": scripts}
        )
        locked[f"node_modules/{package.name}"] = {"resolved": package.folder, "link": True}
        locked[package.folder] = manifest
    lockfile = {"name": name, "version": "1.0.0", "lockfileVersion": 3, "packages": locked}
    writer.write_json("package-lock.json", lockfile)
