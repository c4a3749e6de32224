"""`pipec import nx`: a group for each project of an Nx workspace, a task for each target."""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipec.importers.files import Files
from pipec.importers.packages import MANIFEST, Workspace, read_workspace
from pipec.importers.paths import below, joined, matcher
from pipec.importers.port import Importer
from pipec.importers.read_json import read_json
from pipec.importers.report import Place
from pipec.importers.target import Key, Target, TargetTask
from pipec.importers.tree import Node, Tree

_SCRIPT = "nx:run-script"
_COMMANDS = ("nx:run-commands", "@nx/workspace:run-commands", "@nrwl/workspace:run-commands")
_NOTHING = "nx:noop"
_DEFAULT = "default"
_POOL = "alone"
_DEEPEST = 50
_WITHOUT_EFFECT = {
    "parallel": "`pipec run --concurrency` decides",
    "nxCloudAccessToken": "pipec talks to no service",
    "nxCloudId": "pipec talks to no service",
    "release": "pipec makes no releases",
    "generators": "pipec generates no code",
    "sync": "pipec generates no code",
    "defaultBase": "`pipec` has no affected tasks yet",
    "affected": "`pipec` has no affected tasks yet",
    "tui": "the command line decides how a run is shown",
    "cacheDirectory": "pipec keeps results in `.pipec/cache`",
    "tasksRunnerOptions": "pipec runs tasks itself",
    "useDaemonProcess": "pipec needs none",
}


@dataclass(slots=True, kw_only=True)
class _Project:
    """A project; `targets` are settings by target, each setting at its place."""

    name: str
    folder: str
    place: Place
    targets: dict[str, dict[str, Node]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    named_inputs: dict[str, Node] = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)


def read(path: str, files: Files, target: Target) -> None:
    """Imports an nx.json and the projects below it."""
    _Import(read_json(files.read(path)), files, target).run()


@dataclass(slots=True)
class _Import:
    config: Tree
    files: Files
    target: Target
    workspace: Workspace | None = None
    projects: dict[str, _Project] = field(default_factory=dict)
    trees: list[Tree] = field(default_factory=list)
    shared: dict[str, Node] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    cacheable: frozenset[str] = frozenset()
    met: dict[tuple[str, str], list[Key]] = field(default_factory=dict)

    def run(self) -> None:
        top = self.config.top
        self.trees.append(self.config)
        self._read_top(top)
        if self.files.exists(MANIFEST):
            self.workspace = read_workspace(MANIFEST, self.files)
            self.target.name = self.workspace.root.name
        self._find_projects()
        self._connect()
        by_target: dict[str, list[Key]] = {}
        for project in self.projects.values():
            for name in project.targets:
                task = self.target.add(
                    (project.name, name),
                    (self._short(project), *_parts(name)),
                    project.places[name],
                )
                self._fill(task, project, name)
                by_target.setdefault(name, []).append(task.key)
        for name, keys in by_target.items():
            job = self.target.add_job(name, self.target.tasks[keys[0]].place, keys)
            job.fields["description"] = f"`nx run-many -t {name}`"
        for tree in self.trees:
            tree.raise_findings()

    def _read_top(self, top: Node) -> None:
        named = top.get("namedInputs")
        self.shared = {node.key: node for node in (named.members() if named is not None else ())}
        node = top.get("tasksRunnerOptions")
        options = (
            node.get("default", "options", "cacheableOperations") if node is not None else None
        )
        if options is not None:
            self.cacheable = frozenset(item.text() for item in options.texts())
        for member in top.members():
            reason = _WITHOUT_EFFECT.get(member.key)
            if member.key == "plugins":
                reason = "targets that a plugin infers are made by its code, which is not run"
            if reason is not None:
                self.target.dropped(member.place, f"`{member.key}`", reason)

    def _short(self, project: _Project) -> str:
        short = project.name.rpartition("/")[2]
        names = [other.name.rpartition("/")[2] for other in self.projects.values()]
        return short if names.count(short) == 1 else project.name

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
            project = _Project(name=name or "root", folder=folder, place=place)
            if package is not None:
                self.names[package.name] = project.name
                own = package.tree.top.get("nx")
                self._scripts(project, package.scripts, own)
                self._own(project, own)
                project.needs += sorted(package.dependencies)
            if tree is not None:
                self.trees.append(tree)
                self._own(project, top)
            self.projects[project.name] = project

    def _is_project(self, folder: str, packages: Mapping[str, Any]) -> bool:
        if self.files.exists(posixpath.join(folder, "project.json")):
            return True
        if folder not in packages:
            return False
        return bool(folder) or packages[""].tree.top.get("nx") is not None

    def _scripts(self, project: _Project, scripts: Mapping[str, Node], own: Node | None) -> None:
        included = own.get("includedScripts") if own is not None and own.is_table else None
        chosen = [item.text() for item in included.texts()] if included is not None else None
        for name, node in scripts.items():
            if chosen is None or name in chosen:
                project.targets[name] = {
                    "executor": Node(node.tree, node.route, _SCRIPT),
                    "script": node,
                }
                project.places[name] = node.place

    def _own(self, project: _Project, own: Node | None) -> None:
        if own is None or not own.is_table:
            return
        targets = own.get("targets")
        for node in targets.members() if targets is not None else ():
            settings = {member.key: member for member in node.members()}
            if "command" in settings:
                settings["executor"] = Node(node.tree, node.route, _COMMANDS[0])
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
        for project in self.projects.values():
            needs: dict[str, None] = {}
            for need in project.needs:
                rule = matcher(need) if "*" in need else None
                meant = self.names.get(need, need)
                found = [n for n in self.projects if (rule.fullmatch(n) if rule else n == meant)]
                needs.update(dict.fromkeys(name for name in found if name != project.name))
            project.needs = list(needs)
        if (
            any(project.needs == [] for project in self.projects.values())
            and len(self.projects) > 1
        ):
            reason = "they come from manifests and `implicitDependencies`: source code is not read"
            self.target.report.approximated(
                self.config.top.place, "dependencies of projects", reason
            )

    def _settings(self, project: _Project, name: str) -> dict[str, Node]:
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

    def _fill(self, task: TargetTask, project: _Project, name: str) -> None:
        settings = self._settings(project, name)
        self._command(task, project, name, settings)
        dependencies = settings.get("dependsOn")
        for item in dependencies.items() if dependencies is not None else ():
            for key in self._meant(item, project):
                if key != task.key:
                    task.needs_task(key, item.place)
        metadata = settings.get("metadata")
        description = (
            metadata.get("description") if metadata is not None and metadata.is_table else None
        )
        if description is not None:
            task.fields["description"] = description.text()
        if self._is_cached(task, name, settings):
            inputs = self._inputs(task, project, settings)
            task.fields["inputs"] = inputs
            task.fields["outputs"] = self._outputs(task, project, settings)
            task.fields["cache"] = True
        configurations = settings.get("configurations")
        if configurations is not None:
            reason = "only the default one is carried over"
            task.report.dropped(configurations.place, f"{task.shown}: `configurations`", reason)
        parallelism = settings.get("parallelism")
        if parallelism is not None and parallelism.value is False:
            self.target.fields["pools"] = {_POOL: 1}
            task.fields["pool"] = _POOL
            reason = "such tasks do not run beside each other, but beside others"
            task.approximated(parallelism.place, "`parallelism`", reason)
        for setting in ("dependsOn", "inputs", "outputs", "cache"):
            if setting in settings:
                task.report.exact(settings[setting].place, f"`{setting}`", "carried over")
        task.report.exact(task.place, f"target `{task.shown}`", "a task")

    def _command(
        self, task: TargetTask, project: _Project, name: str, settings: Mapping[str, Node]
    ) -> None:
        executor = settings["executor"].text() if "executor" in settings else _NOTHING
        options = settings.get("options")
        if executor == _SCRIPT:
            script = options.get("script") if options is not None and options.is_table else None
            written = script.text() if script is not None else name
            manager = self.workspace.manager if self.workspace is not None else "npm"
            if project.folder:
                task.fields["cwd"] = project.folder
            task.fields["run"] = f"{manager} run {shlex.quote(written)}"
        elif executor in _COMMANDS:
            self._commands(task, project, settings)
        elif executor != _NOTHING:
            words = ["npx", "nx", "run", f"{project.name}:{name}", "--excludeTaskDependencies"]
            task.fields["run"] = shlex.join(words)
            reason = "Nx still runs it: an executor is code of its plugin"
            place = settings["executor"].place
            task.approximated(place, f"executor `{executor}`", reason)

    def _commands(self, task: TargetTask, project: _Project, settings: Mapping[str, Node]) -> None:
        options = settings.get("options")
        table = options.value if options is not None and options.is_table else {}
        shorthand = settings.get("command")
        written: list[Any] = [shorthand.text()] if shorthand is not None else []
        if not written:
            commands = table.get("commands", table.get("command", []))
            written = commands if isinstance(commands, list) else [commands]
        steps: list[object] = []
        arguments = table.get("args", "")
        extra = " ".join(map(str, arguments)) if isinstance(arguments, list) else str(arguments)
        for command in written:
            text = command.get("command", "") if isinstance(command, dict) else command
            if isinstance(text, list):
                text = " ".join(map(str, text))
            if isinstance(text, str) and text.strip():
                line = self._placed(text, project)
                steps.append(f"{line} {extra}".strip())
        if len(steps) > 1 and table.get("parallel", True) is not False:
            place = options.place if options is not None else task.place
            task.approximated(place, "`commands`", "Nx runs them at once, pipec one by one")
        folder = table.get("cwd")
        if isinstance(folder, str) and folder:
            task.fields["cwd"] = joined("", self._placed(folder, project))
        if task.fields.get("cwd") == "":
            del task.fields["cwd"]
        env = table.get("env")
        if isinstance(env, dict):
            task.fields["env"] = {key: str(value) for key, value in env.items()}
        if steps:
            task.fields["run"] = steps[0] if len(steps) == 1 else steps

    def _placed(self, text: str, project: _Project) -> str:
        return (
            text.replace("{projectRoot}", project.folder or ".")
            .replace("{workspaceRoot}/", "")
            .replace("{workspaceRoot}", ".")
            .replace("{projectName}", project.name)
        )

    def _meant(self, item: Node, project: _Project) -> Iterator[Key]:
        if item.is_table:
            target = item.get("target")
            name = target.text() if target is not None else ""
            of = item.get("projects")
            chosen = [part.text() for part in of.one_or_more()] if of is not None else []
            depends = item.get("dependencies")
            if (depends is not None and depends.value is True) or chosen == ["dependencies"]:
                name = f"^{name}"
            elif chosen and chosen != ["self"]:
                for other in chosen:
                    rule = matcher(other)
                    for known in self.projects.values():
                        if rule.fullmatch(known.name) or f"tag:{other}" == known.name:
                            yield from self._own_targets(known, name)
                return
        else:
            name = item.text()
        if name.startswith("^"):
            yield from self._before(project, name[1:], 0)
            return
        owner, colon, rest = name.rpartition(":")
        if colon and name not in project.targets and owner in self.projects:
            yield from self._own_targets(self.projects[owner], rest)
            return
        yield from self._own_targets(project, name)

    def _own_targets(self, project: _Project, name: str) -> Iterator[Key]:
        rule = matcher(name)
        for known in project.targets:
            if known == name or ("*" in name and rule.fullmatch(known)):
                yield (project.name, known)

    def _before(self, project: _Project, name: str, depth: int) -> Iterator[Key]:
        """The target of each dependency; of one without it, that of what it depends on."""
        identity = (project.name, name)
        if identity not in self.met:
            self.met[identity] = []
            found: dict[Key, None] = {}
            for need in project.needs if depth < _DEEPEST else ():
                other = self.projects[need]
                own = list(self._own_targets(other, name))
                found.update(dict.fromkeys(own or self._before(other, name, depth + 1)))
            self.met[identity] = list(found)
        yield from self.met[identity]

    def _is_cached(self, task: TargetTask, name: str, settings: Mapping[str, Node]) -> bool:
        continuous = settings.get("continuous")
        if continuous is not None and continuous.value is True:
            task.approximated(continuous.place, "`continuous`", "it runs until somebody ends it")
            return False
        cache = settings.get("cache")
        return cache.value is True if cache is not None else name in self.cacheable

    def _inputs(
        self, task: TargetTask, project: _Project, settings: Mapping[str, Node]
    ) -> list[object]:
        node = settings.get("inputs")
        found: dict[str, object] = {}
        if node is not None:
            for item in node.items():
                self._input(item, project, task, found, 0)
        elif _DEFAULT in self.shared or _DEFAULT in project.named_inputs:
            self._named(_DEFAULT, project, task, found, 0)
            for other in self._all_before(project):
                self._named(_DEFAULT, other, task, found, 0)
        else:
            for one in (project, *self._all_before(project)):
                found.setdefault(below(one.folder), below(one.folder))
        lock = self.workspace.lock if self.workspace is not None else ""
        if lock:
            found.setdefault(lock, lock)
        patterns = [item for item in found.values() if not str(item).startswith("!")]
        return [*patterns, *(item for item in found.values() if str(item).startswith("!"))]

    def _all_before(self, project: _Project) -> list[_Project]:
        seen: dict[str, None] = {}
        pending = list(project.needs)
        while pending:
            name = pending.pop(0)
            if name not in seen and name != project.name:
                seen[name] = None
                pending += self.projects[name].needs
        return [self.projects[name] for name in seen]

    def _named(
        self, name: str, project: _Project, task: TargetTask, found: dict[str, object], depth: int
    ) -> bool:
        node = project.named_inputs.get(name) or self.shared.get(name)
        if node is None or depth > _DEEPEST:
            return False
        for item in node.items():
            self._input(item, project, task, found, depth + 1)
        return True

    def _input(
        self, item: Node, project: _Project, task: TargetTask, found: dict[str, object], depth: int
    ) -> None:
        """Adds what an item of `inputs` means for a project."""
        if item.is_table:
            self._structured(item, project, task, found, depth)
            return
        text = item.text()
        if text.startswith("^"):
            for other in self._all_before(project):
                self._named(text[1:], other, task, found, depth)
            return
        if "{" not in text and self._named(text, project, task, found, depth):
            return
        mark, bare = ("!", text[1:]) if text.startswith("!") else ("", text)
        pattern = mark + _from_root(self._placed(bare, project))
        found.setdefault(pattern, pattern)

    def _structured(
        self, item: Node, project: _Project, task: TargetTask, found: dict[str, object], depth: int
    ) -> None:
        table: dict[str, Any] = item.value
        if isinstance(table.get("fileset"), str):
            pattern = _from_root(self._placed(table["fileset"], project))
            found.setdefault(pattern, pattern)
        elif isinstance(table.get("env"), str):
            names = task.fields.setdefault("env-inputs", [])
            if table["env"] not in names:
                names.append(table["env"])
        elif isinstance(table.get("runtime"), str):
            found.setdefault(f"runtime {table['runtime']}", {"command": table["runtime"]})
        elif isinstance(table.get("input"), str):
            if table.get("dependencies") is True or table.get("projects") == "dependencies":
                others = self._all_before(project)
            elif isinstance(table.get("projects"), list):
                others = [self.projects[n] for n in table["projects"] if n in self.projects]
            else:
                others = [project]
            for other in others:
                self._named(table["input"], other, task, found, depth)
        elif "dependentTasksOutputFiles" in table:
            reason = "outputs of what a task depends on always decide"
            task.report.exact(item.place, f"{task.shown}: `dependentTasksOutputFiles`", reason)
        elif "externalDependencies" in table:
            reason = "the whole lock file decides"
            task.report.approximated(item.place, f"{task.shown}: `externalDependencies`", reason)
        else:
            task.dropped(item.place, "an input", "pipec does not know its kind")

    def _outputs(
        self, task: TargetTask, project: _Project, settings: Mapping[str, Node]
    ) -> list[object]:
        node = settings.get("outputs")
        options = settings.get("options")
        table = options.value if options is not None and options.is_table else {}
        outputs: dict[str, object] = {}
        for item in node.items() if node is not None else ():
            written = item.text()
            for text in _with_options(written, table):
                pattern = _from_root(self._placed(text, project))
                excludes = pattern.startswith("!")
                outputs[pattern] = pattern if excludes else {"glob": pattern, "optional": True}
        return list(outputs.values())


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r":", name) if part.strip()] or [name]


def _from_root(pattern: str) -> str:
    """A pattern without what only says that it begins at the root."""
    mark, text = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    return mark + (text.removeprefix("./").lstrip("/") or "**")


def _with_options(text: str, options: Mapping[str, Any]) -> list[str]:
    """The outputs that `{options.name}` stands for; none if the option is not set."""
    found = re.search(r"\{options\.([\w.]+)\}", text)
    if found is None:
        return [text]
    value: Any = options
    for part in found.group(1).split("."):
        value = value.get(part) if isinstance(value, dict) else None
    values = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return [text.replace(found.group(), str(item)) for item in values]


NX = Importer(kind="nx", tool="Nx", names=("nx.json",), read=read)
