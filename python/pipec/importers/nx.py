"""`pipec import nx`: a group for each project of an Nx workspace, a task for each target."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipec.importers.files import Files
from pipec.importers.nx_projects import COMMANDS, SCRIPT, Project, Projects
from pipec.importers.paths import below, joined, matcher
from pipec.importers.port import Importer
from pipec.importers.read_json import read_json
from pipec.importers.target import Key, Target, TargetTask
from pipec.importers.tree import Node

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


def read(path: str, files: Files, target: Target) -> None:
    """Imports an nx.json and the projects below it."""
    projects = Projects(read_json(files.read(path)), files, target)
    _Import(projects, target).run()


@dataclass(slots=True)
class _Import:
    projects: Projects
    target: Target
    shared: dict[str, Node] = field(default_factory=dict)
    cacheable: frozenset[str] = frozenset()
    met: dict[tuple[str, str], list[Key]] = field(default_factory=dict)

    def run(self) -> None:
        self._read_top(self.projects.config.top)
        self.projects.read()
        by_target: dict[str, list[Key]] = {}
        for project in self.projects.by_name.values():
            for name in project.targets:
                task = self.target.add(
                    (project.name, name),
                    (self.projects.label_of(project), *_parts(name)),
                    project.places[name],
                )
                self._fill(task, project, name)
                by_target.setdefault(name, []).append(task.key)
        for name, keys in by_target.items():
            job = self.target.add_job(name, self.target.tasks[keys[0]].place, keys)
            job.fields["description"] = f"`nx run-many -t {name}`"
        self.projects.raise_findings()

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

    def _fill(self, task: TargetTask, project: Project, name: str) -> None:
        settings = self.projects.settings(project, name)
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
        self, task: TargetTask, project: Project, name: str, settings: Mapping[str, Node]
    ) -> None:
        executor = settings["executor"].text() if "executor" in settings else _NOTHING
        options = settings.get("options")
        if executor == SCRIPT:
            script = options.get("script") if options is not None and options.is_table else None
            written = script.text() if script is not None else name
            workspace = self.projects.workspace
            manager = workspace.manager if workspace is not None else "npm"
            if project.folder:
                task.fields["cwd"] = project.folder
            task.fields["run"] = f"{manager} run {shlex.quote(written)}"
        elif executor in COMMANDS:
            self._commands(task, project, settings)
        elif executor != _NOTHING:
            words = ["npx", "nx", "run", f"{project.name}:{name}", "--excludeTaskDependencies"]
            task.fields["run"] = shlex.join(words)
            reason = "Nx still runs it: an executor is code of its plugin"
            place = settings["executor"].place
            task.approximated(place, f"executor `{executor}`", reason)

    def _commands(self, task: TargetTask, project: Project, settings: Mapping[str, Node]) -> None:
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

    def _placed(self, text: str, project: Project) -> str:
        return (
            text.replace("{projectRoot}", project.folder or ".")
            .replace("{workspaceRoot}/", "")
            .replace("{workspaceRoot}", ".")
            .replace("{projectName}", project.name)
        )

    def _meant(self, item: Node, project: Project) -> Iterator[Key]:
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
                    for known in self.projects.by_name.values():
                        if rule.fullmatch(known.name) or f"tag:{other}" == known.name:
                            yield from self._own_targets(known, name)
                return
        else:
            name = item.text()
        if name.startswith("^"):
            yield from self._before(project, name[1:], 0)
            return
        owner, colon, rest = name.rpartition(":")
        if colon and name not in project.targets and owner in self.projects.by_name:
            yield from self._own_targets(self.projects.by_name[owner], rest)
            return
        yield from self._own_targets(project, name)

    def _own_targets(self, project: Project, name: str) -> Iterator[Key]:
        rule = matcher(name)
        for known in project.targets:
            if known == name or ("*" in name and rule.fullmatch(known)):
                yield (project.name, known)

    def _before(self, project: Project, name: str, depth: int) -> Iterator[Key]:
        """The target of each dependency; of one without it, that of what it depends on."""
        identity = (project.name, name)
        if identity not in self.met:
            self.met[identity] = []
            found: dict[Key, None] = {}
            for need in project.needs if depth < _DEEPEST else ():
                other = self.projects.by_name[need]
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
        self, task: TargetTask, project: Project, settings: Mapping[str, Node]
    ) -> list[object]:
        node = settings.get("inputs")
        found: dict[str, object] = {}
        if node is not None:
            for item in node.items():
                self._input(item, project, task, found, 0)
        elif _DEFAULT in self.shared or _DEFAULT in project.named_inputs:
            self._named(_DEFAULT, project, task, found, 0)
            for other in self.projects.all_before(project):
                self._named(_DEFAULT, other, task, found, 0)
        else:
            for one in (project, *self.projects.all_before(project)):
                found.setdefault(below(one.folder), below(one.folder))
        lock = self.projects.workspace.lock if self.projects.workspace is not None else ""
        if lock:
            found.setdefault(lock, lock)
        patterns = [item for item in found.values() if not str(item).startswith("!")]
        return [*patterns, *(item for item in found.values() if str(item).startswith("!"))]

    def _named(
        self, name: str, project: Project, task: TargetTask, found: dict[str, object], depth: int
    ) -> bool:
        node = project.named_inputs.get(name) or self.shared.get(name)
        if node is None or depth > _DEEPEST:
            return False
        for item in node.items():
            self._input(item, project, task, found, depth + 1)
        return True

    def _input(
        self, item: Node, project: Project, task: TargetTask, found: dict[str, object], depth: int
    ) -> None:
        """Adds what an item of `inputs` means for a project."""
        if item.is_table:
            self._structured(item, project, task, found, depth)
            return
        text = item.text()
        if text.startswith("^"):
            for other in self.projects.all_before(project):
                self._named(text[1:], other, task, found, depth)
            return
        if "{" not in text and self._named(text, project, task, found, depth):
            return
        mark, bare = ("!", text[1:]) if text.startswith("!") else ("", text)
        pattern = mark + _from_root(self._placed(bare, project))
        found.setdefault(pattern, pattern)

    def _structured(
        self, item: Node, project: Project, task: TargetTask, found: dict[str, object], depth: int
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
                others = self.projects.all_before(project)
            elif isinstance(table.get("projects"), list):
                known = self.projects.by_name
                others = [known[name] for name in table["projects"] if name in known]
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
        self, task: TargetTask, project: Project, settings: Mapping[str, Node]
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
