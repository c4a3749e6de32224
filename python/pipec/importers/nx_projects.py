"""The projects of an Nx workspace: their targets, settings, and what they depend on."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipec.importers.files import Files
from pipec.importers.packages import MANIFEST, Workspace, read_workspace
from pipec.importers.paths import matcher
from pipec.importers.read_json import read_json
from pipec.importers.report import Place
from pipec.importers.target import Target
from pipec.importers.tree import Node, Tree

SCRIPT = "nx:run-script"
COMMANDS = ("nx:run-commands", "@nx/workspace:run-commands", "@nrwl/workspace:run-commands")
"""Executors that Nx itself brings."""


@dataclass(slots=True, kw_only=True)
class Project:
    """A project; `targets` are settings by target, each setting at its place."""

    name: str
    folder: str
    place: Place
    targets: dict[str, dict[str, Node]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    named_inputs: dict[str, Node] = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)

    @property
    def short(self) -> str:
        """The name without its scope."""
        return self.name.rpartition("/")[2]


@dataclass(slots=True)
class Projects:
    """All projects of a workspace, by name."""

    config: Tree
    files: Files
    target: Target
    workspace: Workspace | None = None
    by_name: dict[str, Project] = field(default_factory=dict)
    _trees: list[Tree] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)

    def read(self) -> None:
        """Finds the projects, and which of them depends on which."""
        self._trees.append(self.config)
        if self.files.exists(MANIFEST):
            self.workspace = read_workspace(MANIFEST, self.files)
            self.target.name = self.workspace.root.name
        self._find_projects()
        self._connect()

    def raise_findings(self) -> None:
        """Ends the import if anything was not what the format asks for.

        Raises:
            SpecError: with all of that.
        """
        for tree in self._trees:
            tree.raise_findings()

    def label_of(self, project: Project) -> str:
        """The name without its scope, unless another project has it too."""
        names = [other.short for other in self.by_name.values()]
        return project.short if names.count(project.short) == 1 else project.name

    def all_before(self, project: Project) -> list[Project]:
        """All projects that one depends on, the near ones first."""
        seen: dict[str, None] = {}
        pending = list(project.needs)
        while pending:
            name = pending.pop(0)
            if name not in seen and name != project.name:
                seen[name] = None
                pending += self.by_name[name].needs
        return [self.by_name[name] for name in seen]

    def settings(self, project: Project, name: str) -> dict[str, Node]:
        """The settings of a target over its defaults."""
        own = project.targets[name]
        executor = own["executor"].text() if "executor" in own else ""
        defaults = self.config.top.get("targetDefaults")
        base: Node | None = None
        for key in (executor, name):
            found = defaults.get(key) if defaults is not None and key else None
            base = base or found
        settings = {node.key: node for node in (base.members() if base is not None else ())}
        if "executor" in settings and executor and settings["executor"].value != executor:
            settings.pop("options", None)
        options = settings.get("options")
        merged = {**settings, **own}
        if (
            options is not None
            and "options" in own
            and options.is_table
            and own["options"].is_table
        ):
            both = {**options.value, **own["options"].value}
            merged["options"] = Node(own["options"].tree, own["options"].route, both)
        configuration = merged.get("defaultConfiguration")
        configurations = merged.get("configurations")
        if configuration is not None and configurations is not None and configurations.is_table:
            chosen = configurations.get(configuration.text())
            before = merged["options"].value if "options" in merged else {}
            if chosen is not None and chosen.is_table and isinstance(before, dict):
                merged["options"] = Node(chosen.tree, chosen.route, {**before, **chosen.value})
        return merged

    def _find_projects(self) -> None:
        """The members of the workspace, and every folder with a project.json."""
        packages = {
            package.folder: package
            for package in (self.workspace.packages if self.workspace else ())
        }
        folders = [
            folder for folder in ("", *self.files.folders()) if self._is_project(folder, packages)
        ]
        for folder in folders:
            package = packages.get(folder)
            path = posixpath.join(folder, "project.json")
            tree = read_json(self.files.read(path)) if self.files.exists(path) else None
            top = tree.top if tree is not None else None
            name_node = top.get("name") if top is not None else None
            name = name_node.text() if name_node is not None else ""
            name = name or (package.name if package is not None else posixpath.basename(folder))
            place = top.place if top is not None else package.tree.top.place  # type: ignore[union-attr]
            project = Project(name=name or "root", folder=folder, place=place)
            if package is not None:
                self._names[package.name] = project.name
                own = package.tree.top.get("nx")
                self._scripts(project, package.scripts, own)
                self._own(project, own)
                project.needs += sorted(package.dependencies)
            if tree is not None:
                self._trees.append(tree)
                self._own(project, top)
            self.by_name[project.name] = project

    def _is_project(self, folder: str, packages: Mapping[str, Any]) -> bool:
        if self.files.exists(posixpath.join(folder, "project.json")):
            return True
        if folder not in packages:
            return False
        return bool(folder) or packages[""].tree.top.get("nx") is not None

    def _scripts(self, project: Project, scripts: Mapping[str, Node], own: Node | None) -> None:
        included = own.get("includedScripts") if own is not None and own.is_table else None
        chosen = [item.text() for item in included.texts()] if included is not None else None
        for name, node in scripts.items():
            if chosen is None or name in chosen:
                project.targets[name] = {
                    "executor": Node(node.tree, node.route, SCRIPT),
                    "script": node,
                }
                project.places[name] = node.place

    def _own(self, project: Project, own: Node | None) -> None:
        if own is None or not own.is_table:
            return
        targets = own.get("targets")
        for node in targets.members() if targets is not None else ():
            settings = {member.key: member for member in node.members()}
            if "command" in settings:
                settings["executor"] = Node(node.tree, node.route, COMMANDS[0])
            if "executor" in settings:
                project.targets.get(node.key, {}).pop("script", None)
            project.targets[node.key] = {**project.targets.get(node.key, {}), **settings}
            project.places[node.key] = node.place
        named = own.get("namedInputs")
        project.named_inputs.update({node.key: node for node in (named.members() if named else ())})
        implicit = own.get("implicitDependencies")
        for item in implicit.texts() if implicit is not None else ():
            name = item.text()
            if name.startswith("!"):
                project.needs = [need for need in project.needs if need != name[1:]]
            else:
                project.needs.append(name)

    def _connect(self) -> None:
        """Keeps the dependencies that are projects of the workspace."""
        for project in self.by_name.values():
            needs: dict[str, None] = {}
            for need in project.needs:
                rule = matcher(need) if "*" in need else None
                meant = self._names.get(need, need)
                found = [n for n in self.by_name if (rule.fullmatch(n) if rule else n == meant)]
                needs.update(dict.fromkeys(name for name in found if name != project.name))
            project.needs = list(needs)
        if any(project.needs == [] for project in self.by_name.values()) and len(self.by_name) > 1:
            reason = "they come from manifests and `implicitDependencies`: source code is not read"
            self.target.report.approximated(
                self.config.top.place, "dependencies of projects", reason
            )
