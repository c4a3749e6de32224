"""Packages of JavaScript: a root, its members, their scripts, and who depends on whom."""

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipec.importers.files import Files
from pipec.importers.paths import matcher
from pipec.importers.read_json import read_json
from pipec.importers.read_yaml import read_yaml
from pipec.importers.tree import Node, Tree

MANIFEST = "package.json"
_LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package. `folder` is empty for the root; `scripts` are the texts at their places."""

    name: str
    folder: str
    tree: Tree
    scripts: dict[str, Node]
    dependencies: frozenset[str]

    @property
    def manifest(self) -> str:
        """Its package.json."""
        return posixpath.join(self.folder, MANIFEST)


@dataclass(slots=True, kw_only=True)
class Workspace:
    """The packages of a repository; `manager` runs their scripts, `lock` is its lock file."""

    root: Package
    manager: str
    lock: str
    runs_hooks: bool
    members: list[Package] = field(default_factory=list)

    @property
    def packages(self) -> list[Package]:
        """The root and the members."""
        return [self.root, *self.members]

    def run_script(self, name: str) -> str:
        """The command that runs a script of the package in whose folder it is given."""
        return f"{self.manager} run {shlex.quote(name)}"

    def package(self, name: str) -> Package | None:
        """The package of this name."""
        return next((package for package in self.packages if package.name == name), None)

    def needed_by(self, package: Package) -> list[Package]:
        """The members that a package depends on, by name."""
        return [
            member
            for member in self.members
            if member.name in package.dependencies and member is not package
        ]

    def short_names(self) -> dict[str, str]:
        """What the groups of the members are called, by folder; without a scope if that will do."""
        bare = {member.folder: member.name.rpartition("/")[2] for member in self.members}
        names = list(bare.values())
        return {
            member.folder: short if names.count(short) == 1 else member.name
            for member in self.members
            for short in [bare[member.folder]]
        }


def read_workspace(path: str, files: Files) -> Workspace:
    """The packages of a repository, from the root's package.json.

    Raises:
        SpecError: a manifest is not JSON, or has something of a wrong type.
    """
    root = _read_package(path, files)
    locks = [lock for lock in _LOCKS if files.exists(lock)]
    node = root.tree.top.get("packageManager")
    named = node.text() if node is not None else ""
    manager, _, version = named.partition("@")
    if manager not in _LOCKS.values():
        manager, version = next((_LOCKS[lock] for lock in locks), "npm"), ""
    lock = next((lock for lock in locks if _LOCKS[lock] == manager), "")
    is_berry = manager == "yarn" and (
        bool(re.match(r"[2-9]", version)) or files.exists(".yarnrc.yml")
    )
    workspace = Workspace(root=root, manager=manager, lock=lock, runs_hooks=not is_berry)
    patterns = list(_member_patterns(root, files))
    root.tree.raise_findings()
    for folder in matching_folders(patterns, files) if patterns else ():
        manifest = posixpath.join(folder, MANIFEST)
        if files.exists(manifest):
            workspace.members.append(_read_package(manifest, files))
    return workspace


def matching_folders(patterns: Sequence[str], files: Files) -> list[str]:
    """The folders that the patterns select; one with `!` takes out what was selected before it."""
    rules = [(text.startswith("!"), matcher(_normal(text.removeprefix("!")))) for text in patterns]
    selected = []
    for folder in files.folders():
        is_in = False
        for excludes, rule in rules:
            if rule.fullmatch(folder):
                is_in = not excludes
        if is_in:
            selected.append(folder)
    return selected


def _normal(pattern: str) -> str:
    return pattern.removeprefix("./").removesuffix("/package.json").rstrip("/")


def _member_patterns(root: Package, files: Files) -> Iterator[str]:
    if files.exists("pnpm-workspace.yaml"):
        tree = read_yaml(files.read("pnpm-workspace.yaml"))
        packages = tree.top.get("packages") if tree.values is not None else None
        yield from (item.text() for item in (packages.texts() if packages is not None else ()))
        tree.raise_findings()
        return
    node = root.tree.top.get("workspaces")
    if node is not None and node.is_table:
        node = node.get("packages")
    if node is not None:
        yield from (item.text() for item in node.texts())


def _read_package(path: str, files: Files) -> Package:
    tree = read_json(files.read(path))
    top = tree.top
    folder = posixpath.dirname(path)
    scripts: dict[str, Node] = {}
    node = top.get("scripts")
    for script in node.members() if node is not None else ():
        if script.text():
            scripts[script.key] = script
    dependencies: set[str] = set()
    for key in _DEPENDENCIES:
        node = top.get(key)
        dependencies.update(member.key for member in (node.members() if node is not None else ()))
    name = top.get("name")
    written = name.text() if name is not None else ""
    tree.raise_findings()
    return Package(
        name=written or posixpath.basename(folder) or "root",
        folder=folder,
        tree=tree,
        scripts=scripts,
        dependencies=frozenset(dependencies),
    )
