"""`pipec import turbo`: a group for each package, a task for each script that turbo.json knows."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipec.importers.env_names import EnvNames
from pipec.importers.files import Files
from pipec.importers.packages import MANIFEST, Package, Workspace, read_workspace
from pipec.importers.paths import below, inside, joined
from pipec.importers.port import Importer
from pipec.importers.read_json import read_json
from pipec.importers.target import Key, Target, TargetTask
from pipec.importers.tree import Node, Tree

_ROOT = "//"
_GLOBAL = "global"
_DEFAULT_INPUTS = "$TURBO_DEFAULT$"
_FROM_ROOT = "$TURBO_ROOT$/"
_EXTENDS = "$TURBO_EXTENDS$"
_WITHOUT_EFFECT = {
    "remoteCache": "a shared cache is a store: declare it under `cache`",
    "cacheDir": "pipec keeps results in `.pipec/cache`",
    "cacheMaxAge": "`pipec gc` shrinks the cache",
    "cacheMaxSize": "`pipec gc` shrinks the cache",
    "daemon": "pipec needs none",
    "ui": "the command line decides how a run is shown",
    "concurrency": "`pipec run --concurrency` decides",
    "boundaries": "pipec does not judge imports between packages",
    "dangerouslyDisablePackageManagerCheck": "pipec does not check the package manager",
    "noUpdateNotifier": "pipec notifies nobody",
    "telemetry": "pipec has none",
    "futureFlags": "they are about turbo itself",
    "experimentalUI": "the command line decides how a run is shown",
    "experimentalSpaces": "pipec reports to no service",
}
_TASK_WITHOUT_EFFECT = {
    "outputLogs": "`pipec run --output-logs` decides whose logs are shown",
    "outputMode": "`pipec run --output-logs` decides whose logs are shown",
    "with": "tasks that run beside this one are named in a job, or on the command line",
    "interruptible": "pipec watches no files",
}
_PASSED_BY_TURBO = "`CI`, `SHELL`, `NODE_OPTIONS`, `npm_config_*` and others"

Definition = Mapping[str, Node]
"""The settings of a task by their names, after everything that it extends."""


def read(path: str, files: Files, target: Target) -> None:
    """Imports a turbo.json and the packages beside it."""
    root = read_json(files.read(path))
    manifest = posixpath.join(posixpath.dirname(path), MANIFEST)
    workspace = read_workspace(manifest, files)
    _Import(root, workspace, files, target).run()


@dataclass(slots=True)
class _Import:
    root: Tree
    workspace: Workspace
    files: Files
    target: Target
    configs: dict[str, Tree] = field(default_factory=dict)
    known: dict[Key, Definition | None] = field(default_factory=dict)
    met: dict[Key, list[Key]] = field(default_factory=dict)

    def run(self) -> None:
        self.target.name = self.workspace.root.name
        for member in self.workspace.members:
            path = posixpath.join(member.folder, "turbo.json")
            if self.files.exists(path):
                self.configs[member.name] = read_json(self.files.read(path))
        env = EnvNames()
        self._read_top(env)
        names = self.workspace.short_names()
        by_task: dict[str, list[Key]] = {}
        for package in self.workspace.packages:
            for script in package.scripts:
                definition = self._definition(package, script)
                if definition is None:
                    continue
                group = "root" if package is self.workspace.root else names[package.folder]
                namespace = (group,) if self.workspace.members else ()
                place = package.scripts[script].place
                task = self.target.add((package.name, script), (*namespace, script), place)
                self._fill(task, package, definition, env)
                by_task.setdefault(script, []).append(task.key)
        for tree in (self.root, *self.configs.values()):
            tree.raise_findings()
        self._report_unused(by_task)
        if self.workspace.members:
            for name, keys in by_task.items():
                place = self.target.tasks[keys[0]].place
                job = self.target.add_job(name, place, keys)
                job.fields["description"] = f"`turbo run {name}`"

    def _read_top(self, env: EnvNames) -> None:
        top, report = self.root.top, self.target.report
        if not top.is_table:
            top.get("tasks")
            self.root.raise_findings()
        files: list[str] = []
        for key in ("globalDependencies", "globalDotEnv"):
            for item in self._list(top, key):
                files.append(inside(self._folder, item.text().removeprefix(_FROM_ROOT)))
                report.exact(item.place, f"`{key}`", f"the named input `{_GLOBAL}`")
        for item in self._list(top, "globalEnv"):
            if env.add(item, self.target):
                report.exact(item.place, "`globalEnv`", "`env-inputs` of every cached task")
        for item in self._list(top, "globalPassThroughEnv"):
            env.pass_through(item, self.target)
        own = [
            path
            for path in (self.workspace.lock, MANIFEST, "turbo.json")
            if self.files.exists(path)
        ]
        self.target.fields["named-inputs"] = {_GLOBAL: list(dict.fromkeys([*files, *own]))}
        mode = top.get("envMode")
        if mode is not None and mode.text() == "loose":
            report.exact(mode.place, "`envMode`", "`env-mode` is `loose`")
        else:
            self.target.fields["env-mode"] = "strict"
            reason = (
                f"turbo lets {_PASSED_BY_TURBO} through in strict mode, pipec only the basics: "
                "declare what a task needs"
            )
            place = mode.place if mode is not None else top.place
            self.target.approximated(place, "strict environment", reason)
        for key, reason in _WITHOUT_EFFECT.items():
            node = top.get(key)
            if node is not None:
                report.dropped(node.place, f"`{key}`", reason)

    @property
    def _folder(self) -> str:
        return posixpath.dirname(self.root.document.path)

    def _list(self, table: Node, key: str) -> list[Node]:
        node = table.get(key)
        return node.texts() if node is not None else []

    def _definition(self, package: Package, task: str) -> Definition | None:
        """What turbo.json says of a task of a package; None if it says nothing."""
        key = (package.name, task)
        if key not in self.known:
            self.known[key] = None  # a package that extends itself ends here
            self.known[key] = self._define(package, task)
        return self.known[key]

    def _define(self, package: Package, task: str) -> Definition | None:
        config = self.configs.get(package.name)
        bases: list[Definition] = []
        root = self._of_root(package, task)
        if root is not None:
            bases.append(root)
        own: Node | None = None
        if config is not None:
            for item in self._list(config.top, "extends"):
                other = self.workspace.package(item.text())
                base = self._definition(other, task) if other is not None else None
                if base is not None and other is not self.workspace.root:
                    bases.append(base)
            tasks = config.top.get("tasks") or config.top.get("pipeline")
            own = tasks.get(task) if tasks is not None else None
        if own is not None:
            extends = own.get("extends")
            if extends is not None and extends.value is False:
                bases = []
            bases.append({member.key: member for member in own.members()})
        if not bases:
            return None
        merged: dict[str, Node] = {}
        for base in bases:
            for name, node in base.items():
                merged[name] = _extended(merged.get(name), node)
        return merged

    def _of_root(self, package: Package, task: str) -> Definition | None:
        tasks = self.root.top.get("tasks") or self.root.top.get("pipeline")
        if tasks is None:
            return None
        names = [f"{package.name}#{task}", task]
        if package is self.workspace.root and self.workspace.members:
            names = [f"{_ROOT}#{task}", f"{package.name}#{task}"]
        elif package is self.workspace.root:
            names.insert(0, f"{_ROOT}#{task}")
        for name in names:
            node = tasks.get(name)
            if node is not None:
                return {member.key: member for member in node.members()}
        return None

    def _fill(
        self, task: TargetTask, package: Package, definition: Definition, shared: EnvNames
    ) -> None:
        script = task.key[1]
        description = definition.get("description")
        if description is not None:
            task.fields["description"] = description.text()
        task.fields["cwd"] = package.folder
        task.fields["run"] = self.workspace.run_script(script)
        env = shared.copy()
        for item in self._items(definition, "env"):
            env.add(item, self.target)
        for item in self._items(definition, "passThroughEnv"):
            env.pass_through(item, self.target)
        self._add_needs(task, package, definition, env)
        is_cached = self._caching(task, definition)
        if is_cached:
            task.fields["inputs"] = self._inputs(task, package, definition)
            task.fields["outputs"] = self._outputs(package, definition)
            task.fields["cache"] = True
        env.fill(task)
        if not task.fields["cwd"]:
            del task.fields["cwd"]
        for key, reason in _TASK_WITHOUT_EFFECT.items():
            if key in definition:
                self.target.report.dropped(definition[key].place, f"`{key}`", reason)
        for node in (definition.get("dotEnv"), definition.get("dependsOn")):
            if node is not None:
                self.target.report.exact(node.place, f"`{node.key}`", "carried over")
        self.target.report.exact(
            task.place, f"`{task.shown}`", "the package manager runs the script"
        )

    def _add_needs(
        self, task: TargetTask, package: Package, definition: Definition, env: EnvNames
    ) -> None:
        for item in self._items(definition, "dependsOn"):
            if item.text().startswith("$"):
                if item.text() != _EXTENDS:
                    env.add_name(item.text()[1:], item, self.target)
                continue
            for key in self._meant(item.text(), package):
                if key != task.key:
                    task.needs_task(key, item.place)

    def _meant(self, written: str, package: Package) -> Iterator[Key]:
        """The tasks that an item of `dependsOn` means, for a package."""
        if written.startswith("^"):
            for needed in self.workspace.needed_by(package):
                yield from self._standing_for(needed, written[1:])
            return
        owner, mark, name = written.partition("#")
        if not mark:
            yield from self._standing_for(package, written)
            return
        other = self.workspace.root if owner == _ROOT else self.workspace.package(owner)
        if other is not None:
            yield from self._standing_for(other, name)

    def _standing_for(self, package: Package, name: str) -> list[Key]:
        """A task; where the package has no such script, what turbo would have run before it."""
        key = (package.name, name)
        if key in self.met:
            return self.met[key]
        self.met[key] = []
        definition = self._definition(package, name)
        if definition is None:
            return []
        if name in package.scripts:
            self.met[key] = [key]
        else:
            before = (
                found
                for item in self._items(definition, "dependsOn")
                if not item.text().startswith("$")
                for found in self._meant(item.text(), package)
            )
            self.met[key] = list(dict.fromkeys(before))
        return self.met[key]

    def _items(self, definition: Definition, key: str) -> list[Node]:
        node = definition.get(key)
        return node.texts() if node is not None else []

    def _caching(self, task: TargetTask, definition: Definition) -> bool:
        cache, persistent = definition.get("cache"), definition.get("persistent")
        interactive = definition.get("interactive")
        if interactive is not None and interactive.flag():
            task.fields["interactive"] = True
            self.target.report.exact(interactive.place, "`interactive`", "it gets the terminal")
            return False
        if persistent is not None and persistent.flag():
            reason = "it runs until somebody ends it, and nothing may depend on it"
            task.approximated(persistent.place, "`persistent`", reason)
            return False
        if cache is None:
            return True
        is_cached = cache.flag()
        self.target.report.exact(cache.place, "`cache`", f"cached: {'yes' if is_cached else 'no'}")
        return is_cached

    def _inputs(self, task: TargetTask, package: Package, definition: Definition) -> list[object]:
        node = definition.get("inputs")
        written = [item for item in self._items(definition, "inputs") if item.text() != _EXTENDS]
        patterns: list[object] = [_GLOBAL]
        if not written:
            patterns.append(below(package.folder))
        else:
            # turbo takes these two in whatever the patterns say, and exclusions count last.
            ordered = sorted(written, key=lambda item: item.text().startswith("!"))
            patterns += [_pattern(item, package.folder) for item in ordered]
            patterns += [
                path
                for path in (package.manifest, posixpath.join(package.folder, "turbo.json"))
                if self.files.exists(path)
            ]
        patterns += [
            inside(package.folder, item.text()) for item in self._items(definition, "dotEnv")
        ]
        if node is not None:
            self.target.report.exact(node.place, "`inputs`", "`inputs`, from the project's root")
        return list(dict.fromkeys(patterns))

    def _outputs(self, package: Package, definition: Definition) -> list[object]:
        outputs: list[object] = []
        written = [item for item in self._items(definition, "outputs") if item.text() != _EXTENDS]
        for item in sorted(written, key=lambda item: item.text().startswith("!")):
            pattern = _pattern(item, package.folder)
            # turbo says nothing when an output is not there.
            is_exclusion = pattern.startswith("!")
            outputs.append(pattern if is_exclusion else {"glob": pattern, "optional": True})
        node = definition.get("outputs")
        if node is not None:
            self.target.report.exact(
                node.place, "`outputs`", "`outputs`, each optional as in turbo"
            )
        return outputs

    def _report_unused(self, by_task: Mapping[str, list[Key]]) -> None:
        tasks = self.root.top.get("tasks") or self.root.top.get("pipeline")
        for node in tasks.members() if tasks is not None else ():
            owner, mark, name = node.key.partition("#")
            if not mark:
                is_used = node.key in by_task
            else:
                owner = self.workspace.root.name if owner == _ROOT else owner
                is_used = (owner, name) in self.target.tasks
            if not is_used:
                reason = "no package has such a script; what it waits for is waited for directly"
                self.target.report.dropped(node.place, f"task `{node.key}`", reason)


def _extended(base: Node | None, node: Node) -> Node:
    """A setting over what it extends: lists take the base in where `$TURBO_EXTENDS$` says so."""
    is_extended = node.is_list and _EXTENDS in node.value
    if base is None or not is_extended or not base.is_list:
        return node
    return Node(node.tree, node.route, [*base.value, *node.value])


def _pattern(item: Node, folder: str) -> str:
    text = item.text()
    mark, text = ("!", text[1:]) if text.startswith("!") else ("", text)
    if text == _DEFAULT_INPUTS:
        return mark + below(folder)
    if text.startswith(_FROM_ROOT):
        return mark + text.removeprefix(_FROM_ROOT)
    if text.startswith("../"):
        return mark + joined(folder, text)
    return mark + inside(folder, text)


TURBO = Importer(kind="turbo", tool="Turborepo", names=("turbo.json", "turbo.jsonc"), read=read)
