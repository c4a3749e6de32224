"""`pipec import taskfile`: tasks of a Taskfile (version 3) and of the files that it includes."""

import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pipec.importers.files import Files
from pipec.importers.paths import inside, joined, matcher
from pipec.importers.port import Importer
from pipec.importers.read_yaml import read_yaml
from pipec.importers.shells import (
    conditional,
    demand,
    may_fail,
    needs_bash,
    only_on,
    prefixed,
    with_commands,
)
from pipec.importers.target import Key, Target, TargetTask
from pipec.importers.templates import Command, Filled, UntranslatableError, Variable, fill
from pipec.importers.tree import Node, Tree

_NAMES = (
    "Taskfile.yml",
    "taskfile.yml",
    "Taskfile.yaml",
    "taskfile.yaml",
    "Taskfile.dist.yml",
    "taskfile.dist.yml",
    "Taskfile.dist.yaml",
    "taskfile.dist.yaml",
)
_DEEPEST = 20
_MOST_INSTANCES = 2_000
_PLATFORMS = {"linux": "linux", "darwin": "macos", "windows": "windows"}
_WITHOUT_EFFECT = {
    "silent": "`pipec run --output-logs` decides what is shown",
    "output": "`pipec run --output-logs` decides what is shown",
    "prefix": "pipec shows a log under the id of its task",
    "interval": "pipec watches no files",
    "watch": "pipec watches no files",
    "run": "pipec runs a task once in a run",
    "prompt": "pipec asks nothing",
    "failfast": "what depends on a failed task never starts",
}
_HANDLED = frozenset(
    {"version", "includes", "vars", "env", "tasks", "dotenv", "method", "set", "shopt", "cmds",
     "cmd", "deps", "label", "desc", "summary", "aliases", "sources", "generates", "status",
     "requires", "preconditions", "dir", "interactive", "internal", "ignore_error", "platforms",
     "if"}
)  # fmt: skip

Steps = list[object]


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a task stands: its namespace, the folder of its file, and the variables it sees."""

    namespace: tuple[str, ...]
    folder: str
    variables: Mapping[str, Variable]
    env: Mapping[str, Node]
    method: str = "checksum"
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Written:
    """A task as it is written, and where."""

    name: str
    node: Node
    scope: _Scope
    is_internal: bool


def read(path: str, files: Files, target: Target) -> None:
    """Imports a Taskfile."""
    _Import(files, target).run(path)


@dataclass(slots=True)
class _Import:
    files: Files
    target: Target
    written: dict[str, _Written] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    made: dict[tuple[str, tuple[tuple[str, str], ...]], Key] = field(default_factory=dict)
    trees: list[Tree] = field(default_factory=list)

    def run(self, path: str) -> None:
        facts: dict[str, Variable] = {"TASKFILE": path}
        self._file(path, _Scope((), posixpath.dirname(path), facts, {}), is_internal=False, depth=0)
        for name, written in self.written.items():
            if "*" in name:
                reason = "it is made for names that are known when it is called"
                self.target.dropped(written.node.place, f"task `{name}`", reason)
            else:
                self._make(name, {}, written.node)
        for tree in self.trees:
            tree.raise_findings()
        order = list(self.written)
        self.target.tasks = dict(
            sorted(self.target.tasks.items(), key=lambda item: order.index(item[0][0]))
        )
        self._aliases()

    def _file(self, path: str, scope: _Scope, *, is_internal: bool, depth: int) -> None:
        tree = read_yaml(self.files.read(path))
        self.trees.append(tree)
        top = tree.top
        variables = {**scope.variables, **dict(self._variables(top.get("vars")))}
        env = {**scope.env}
        node = top.get("env")
        env.update({member.key: member for member in (node.members() if node else ())})
        method = top.get("method")
        scope = replace(
            scope,
            variables=variables,
            env=env,
            method=method.text() if method is not None else scope.method,
            options=tuple(option for key in ("set", "shopt") for option in _texts(top, key)),
        )
        if depth == 0:
            self._dotenv(top)
        self._remark_others(top, None)
        tasks = top.get("tasks")
        for member in tasks.members() if tasks is not None else ():
            full = ":".join((*scope.namespace, member.key))
            self.written[full] = _Written(
                full, member, scope, is_internal or _flag(member, "internal")
            )
            self.names[full] = full
            for alias in _texts(member, "aliases") if member.is_table else ():
                self.names.setdefault(":".join((*scope.namespace, alias)), full)
        if depth < _DEEPEST:
            self._includes(top, scope, is_internal=is_internal, depth=depth)
        tree.raise_findings()

    def _dotenv(self, top: Node) -> None:
        node = top.get("dotenv")
        kept = []
        for item in node.texts() if node is not None else ():
            if "{{" in item.text() or item.text().startswith(("/", "~", "../")):
                self.target.dropped(
                    item.place, "`dotenv`", "the file is not known to be in the project"
                )
            else:
                kept.append({"path": item.text(), "optional": True})
                self.target.report.exact(item.place, "`dotenv`", "`env-files`, optional as there")
        if kept:
            self.target.fields["env-files"] = kept

    def _includes(self, top: Node, scope: _Scope, *, is_internal: bool, depth: int) -> None:
        node = top.get("includes")
        for member in node.members() if node is not None else ():
            place = member.get("taskfile") if member.is_table else member
            written = place.text() if place is not None else ""
            path = self._included(written, scope.folder)
            if path is None:
                optional = member.is_table and _flag(member, "optional")
                reason = "there is no such file in the project" + (
                    ": it is optional" if optional else ""
                )
                self.target.dropped(member.place, f"include `{member.key}`", reason)
                continue
            own = dict(self._variables(member.get("vars"))) if member.is_table else {}
            folder = scope.folder
            if member.is_table and member.get("dir") is not None:
                folder = joined(scope.folder, member.get("dir").text())  # type: ignore[union-attr]
            flatten = member.is_table and _flag(member, "flatten")
            namespace = scope.namespace if flatten else (*scope.namespace, member.key)
            inner = _Scope(namespace, folder, {**scope.variables, **own}, scope.env)
            hidden = is_internal or (member.is_table and _flag(member, "internal"))
            self._file(path, inner, is_internal=hidden, depth=depth + 1)
            full = ":".join(namespace)
            if f"{full}:default" in self.written:
                self.names.setdefault(full, f"{full}:default")
            for alias in _texts(member, "aliases") if member.is_table else ():
                for name in list(self.written):
                    if name.startswith(f"{full}:"):
                        short = ":".join((*scope.namespace, alias, name.removeprefix(f"{full}:")))
                        self.names.setdefault(short, name)
            self.target.report.exact(
                member.place, f"include `{member.key}`", f"`{path}`, as a group"
            )

    def _included(self, written: str, folder: str) -> str | None:
        if not written or "://" in written or "{{" in written or written.startswith(("/", "~")):
            return None
        path = joined(folder, written)
        candidates = [path, *(posixpath.join(path, name) for name in _NAMES)]
        return next((known for known in candidates if self.files.exists(known)), None)

    def _variables(self, node: Node | None) -> Iterator[tuple[str, Variable]]:
        for member in node.members() if node is not None else ():
            if member.is_table:
                command = member.get("sh")
                if command is not None:
                    yield member.key, Command(command.text())
                    reason = "a step that needs it asks the shell"
                    self.target.report.approximated(
                        member.place, f"variable `{member.key}`", reason
                    )
                else:
                    reason = "only Task knows its value: tasks that need it call Task"
                    self.target.report.dropped(member.place, f"variable `{member.key}`", reason)
                    yield member.key, ()
            elif member.is_list:
                yield member.key, tuple(str(item.value) for item in member.items())
            elif member.value is not None:
                yield member.key, member.scalar() or ""

    def _find(self, name: str, scope: _Scope) -> str | None:
        """The full name of the task that a name means in a file."""
        if name.startswith(":"):
            return self.names.get(name[1:])
        return self.names.get(":".join((*scope.namespace, name)))

    def _make(self, name: str, given: Mapping[str, str], caller: Node) -> Key | None:
        """The task with these variables; made when it is first asked for."""
        written = self.written[name]
        identity = (name, tuple(sorted(given.items())))
        if identity in self.made:
            return self.made[identity]
        if len(self.made) >= _MOST_INSTANCES:
            return None
        parts = tuple(name.split(":"))
        suffix = "-".join(given.values())
        path = (*parts[:-1], f"{parts[-1]}-{suffix}") if given else parts
        if len(parts) > 1 and parts[-1] == "default" and not given:
            # The default task of a group has the group's own name.
            path = parts[:-1]
        key = (name, *(f"{k}={v}" for k, v in sorted(given.items())))
        self.made[identity] = key
        task = self.target.add(key, path, written.node.place)
        try:
            self._fill(task, written, given)
        except UntranslatableError as problem:
            self._call_task(task, written, given, str(problem))
        return key

    def _call_task(
        self, task: TargetTask, written: _Written, given: Mapping[str, str], template: str
    ) -> None:
        """Leaves a task to Task itself, with all that it depends on."""
        task.fields.clear()
        task.needs.clear()
        words = ["task", written.name, *(f"{name}={value}" for name, value in given.items())]
        task.fields["run"] = shlex.join(words)
        reason = "it is left to Task, with what it depends on: pipec has no templates"
        task.approximated(written.node.place, f"`{_short(template)}`", reason)

    def _fill(self, task: TargetTask, written: _Written, given: Mapping[str, str]) -> None:
        node, scope = written.node, written.scope
        variables = {**scope.variables, **given}
        if node.is_table:
            variables = {**scope.variables, **dict(self._variables(node.get("vars"))), **given}
        variables["TASK"] = written.name
        variables["ROOT_DIR"] = "${PIPEC_ROOT}"
        variables["USER_WORKING_DIR"] = "${PIPEC_ROOT}"
        variables["TASKFILE_DIR"] = f"${{PIPEC_ROOT}}/{scope.folder}".rstrip("/")
        scope = replace(scope, variables=variables)
        if not node.is_table:
            exports = self._env(task, None, scope)
            commands = self._commands(task, node, scope, scope.folder)
            self._finish(task, [prefixed(step, exports) for step in commands], scope)
            return
        for key in ("desc", "summary"):
            text = node.get(key)
            if text is not None and "description" not in task.fields and "{{" not in text.text():
                task.fields["description"] = " ".join(text.text().split())
        folder = scope.folder
        if node.get("dir") is not None:
            folder = self._folder(node, scope)
        if folder:
            task.fields["cwd"] = folder
        for item in self._list(node, "deps"):
            self._depend(task, item, scope)
        exports = self._env(task, node, scope)
        steps: Steps = []
        for item in self._list(node, "preconditions"):
            steps.append(self._precondition(item, scope))
        cmd = node.get("cmd")
        written_steps = cmd if cmd is not None else node.get("cmds")
        if written_steps is not None:
            steps += self._commands(task, written_steps, scope, folder)
        condition = node.get("if")
        if condition is not None:
            holds = fill(condition.text(), variables).text
            steps = [conditional(holds, step) for step in steps]
        steps = [prefixed(step, exports) for step in steps]
        if _flag(node, "ignore_error"):
            steps = [may_fail(step) if isinstance(step, str) else step for step in steps]
        self._caching(task, node, scope, folder)
        self._settings(task, node, written)
        self._finish(task, steps, scope)

    def _finish(self, task: TargetTask, steps: Steps, scope: _Scope) -> None:
        texts = [step if isinstance(step, str) else str(step) for step in steps]
        if scope.options:
            steps[:] = [
                prefixed(step, [f"set -o {option}" for option in scope.options]) for step in steps
            ]
        if scope.options or any(needs_bash(text) for text in texts):
            task.fields["shell"] = "bash"
        if steps:
            task.fields["run"] = steps[0] if len(steps) == 1 else steps
        self.target.report.exact(task.place, f"task `{task.shown}`", "a task")

    def _list(self, node: Node, key: str) -> list[Node]:
        found = node.get(key)
        return list(found.one_or_more()) if found is not None else []

    def _folder(self, node: Node, scope: _Scope) -> str:
        found = node.get("dir")
        text = fill(found.text() if found is not None else "", scope.variables).text
        for prefix in ("${PIPEC_ROOT}/", "${PIPEC_ROOT}"):
            if text.startswith(prefix):
                return joined("", text.removeprefix(prefix))
        if "$" in text:
            raise UntranslatableError(text)
        return joined(scope.folder, text)

    def _depend(self, task: TargetTask, item: Node, scope: _Scope) -> None:
        for name, given in self._calls(item, scope):
            key = self._make(name, given, item)
            if key is not None:
                task.needs_task(key, item.place)

    def _calls(self, item: Node, scope: _Scope) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The tasks that an item calls, with the variables that it gives them."""
        for round_ in self._rounds(item, scope):
            node = item.get("task") if item.is_table else item
            written = fill(node.text() if node is not None else "", round_.variables).text
            name = self._find(written, scope)
            if name is None:
                if any(
                    matcher(known.replace(":", "/")).fullmatch(written.replace(":", "/"))
                    for known in self.names
                    if "*" in known
                ):
                    raise UntranslatableError(written)
                reason = "there is no such task"
                self.target.dropped(item.place, f"call of `{written}`", reason)
                continue
            given: dict[str, str] = {}
            node = item.get("vars") if item.is_table else None
            for key, value in self._variables(node):
                if not isinstance(value, str):
                    raise UntranslatableError(f"{{{{.{key}}}}}")
                filled = fill(value, round_.variables)
                if filled.commands:
                    raise UntranslatableError(value)
                given[key] = filled.text
            yield name, given

    def _rounds(self, item: Node, scope: _Scope) -> Iterator[_Scope]:
        """The scope for each round of a `for`; the scope itself without one."""
        loop = item.get("for") if item.is_table else None
        if loop is None:
            yield scope
            return
        name = "ITEM"
        values: tuple[str, ...]
        if loop.is_list:
            values = tuple(str(part.value) for part in loop.items())
        else:
            source = loop.get("var") if loop.is_table else None
            alias = loop.get("as") if loop.is_table else None
            name = alias.text() if alias is not None else name
            value = scope.variables.get(source.text()) if source is not None else None
            split = loop.get("split") if loop.is_table else None
            if isinstance(value, str) and "{{" not in value:
                parts = value.split(split.text() if split is not None and split.text() else None)
                value = tuple(part for part in parts if part)
            if not isinstance(value, tuple) or not value:
                raise UntranslatableError("for")
            values = value
        for part in values:
            yield replace(scope, variables={**scope.variables, name: part})

    def _commands(
        self, task: TargetTask, commands: Node, scope: _Scope, folder: str, depth: int = 0
    ) -> Iterator[object]:
        """The steps of a list of commands; tasks called before any command are dependencies."""
        has_command = depth > 0
        called = 0
        for item in commands.one_or_more():
            if item.value is None:
                continue
            if not item.is_table:
                has_command = True
                yield self._step(task, item, item.scalar() or "", scope)
            elif item.get("task") is not None and not has_command:
                called += 1
                self._depend(task, item, scope)
                if called == 2:  # noqa: PLR2004 - with the second one there is an order
                    reason = "tasks that it calls one after the other may run at once"
                    task.approximated(item.place, "order of calls", reason)
            elif item.get("task") is not None:
                yield from self._inlined(task, item, scope, depth)
            elif item.get("defer") is not None:
                task.dropped(item.place, "`defer`", "pipec has no step that always runs at the end")
            else:
                has_command = True
                node = item.get("cmd")
                for round_ in self._rounds(item, scope):
                    text = self._step(task, item, node.text() if node is not None else "", round_)
                    yield self._with_options(item, text, round_)

    def _step(self, task: TargetTask, item: Node, text: str, scope: _Scope) -> str:
        filled: Filled = fill(text, scope.variables)
        if filled.arguments:
            reason = "pipec hands no arguments on: they are empty"
            task.approximated(item.place, "`{{.CLI_ARGS}}`", reason)
        return with_commands(filled.text.strip(), filled.commands) or ":"

    def _with_options(self, item: Node, text: str, scope: _Scope) -> str:
        condition = item.get("if")
        if condition is not None:
            text = str(conditional(fill(condition.text(), scope.variables).text, text))
        platforms = _texts(item, "platforms")
        if platforms:
            text = only_on(_PLATFORMS.get(platforms[0].partition("/")[0], platforms[0]), text)
        return may_fail(text) if _flag(item, "ignore_error") else text

    def _inlined(self, task: TargetTask, item: Node, scope: _Scope, depth: int) -> Iterator[object]:
        """The steps of a task that is called between commands."""
        if depth > _DEEPEST:
            raise UntranslatableError("task")
        for name, given in self._calls(item, scope):
            called = self.written[name]
            inner = TargetTask(key=task.key, path=task.path, place=item.place, report=task.report)
            variables = {**called.scope.variables, **given, "TASK": name}
            inner_scope = replace(called.scope, variables=variables)
            node: Node | None = called.node
            folder = called.scope.folder
            if called.node.is_table:
                own = dict(self._variables(called.node.get("vars")))
                inner_scope = replace(
                    inner_scope, variables={**called.scope.variables, **own, **given}
                )
                folder = (
                    self._folder(called.node, inner_scope) if called.node.get("dir") else folder
                )
                for need in self._list(called.node, "deps"):
                    self._depend(inner, need, inner_scope)
                node = called.node.get("cmds") or called.node.get("cmd")
            steps = (
                list(self._commands(inner, node, inner_scope, folder, depth + 1)) if node else []
            )
            for key, place in inner.needs.items():
                task.needs_task(key, place)
            is_elsewhere = folder != str(task.fields.get("cwd", ""))
            for step in steps:
                yield (
                    {"sh": step, "cwd": folder or "."}
                    if is_elsewhere and isinstance(step, str)
                    else step
                )
            reason = (
                f"called between commands: the commands of `{name}` stand here, without its checks"
            )
            task.approximated(item.place, f"call of `{name}`", reason)

    def _precondition(self, item: Node, scope: _Scope) -> str:
        node = item.get("sh") if item.is_table else item
        message = item.get("msg") if item.is_table else None
        condition = fill(node.text() if node is not None else "", scope.variables)
        text = fill(message.text(), scope.variables).text if message is not None else ""
        self.target.report.exact(item.place, "`preconditions`", "a step before the others")
        said = text or f"`{condition.text}` does not hold"
        return with_commands(demand(condition.text or "true", said), condition.commands)

    def _env(self, task: TargetTask, node: Node | None, scope: _Scope) -> list[str]:
        """Gives the task its environment; what commands print comes back as lines of shell."""
        own = node.get("env") if node is not None else None
        members = {**scope.env, **{m.key: m for m in (own.members() if own is not None else ())}}
        env: dict[str, object] = {}
        exports: list[str] = []
        for name, member in members.items():
            if member.is_table:
                command = member.get("sh")
                if command is None:
                    continue
                text = fill(command.text(), scope.variables).text
                exports.append(f"export {name}=$({text})")
                task.approximated(
                    member.place, f"`env` `{name}`", "each step asks the shell for it"
                )
                continue
            filled = fill(member.scalar() or "", scope.variables)
            if "$" in filled.text:
                exports += [f"{key}=$({text})" for key, text in filled.commands.items()]
                exports.append(f'export {name}="{filled.text}"')
            else:
                env[name] = filled.text
        if env:
            task.fields["env"] = env
        if node is not None and _texts(node, "dotenv"):
            reason = "files of variables belong to the pipeline as a whole"
            task.dropped(node.place, "`dotenv`", reason)
        return exports

    def _caching(self, task: TargetTask, node: Node, scope: _Scope, folder: str) -> None:
        sources, method = self._list(node, "sources"), node.get("method")
        how = method.text() if method is not None else scope.method
        if node.get("status") is not None:
            reason = "commands say whether it is up to date, pipec looks at files: it always runs"
            task.dropped(node.get("status").place, "`status`", reason)  # type: ignore[union-attr]
            if not sources:
                return
        if not sources or how == "none":
            return
        inputs = [self._pattern(item, scope, folder) for item in sources]
        outputs: list[object] = []
        for item in self._list(node, "generates"):
            pattern = self._pattern(item, scope, folder)
            outputs.append(
                pattern if pattern.startswith("!") else {"glob": pattern, "optional": True}
            )
        task.fields.update({"inputs": inputs, "outputs": outputs, "cache": True})
        place = sources[0].place
        if how == "timestamp":
            task.approximated(place, "`method: timestamp`", "pipec compares contents")
        else:
            task.report.exact(place, "`sources` and `generates`", "`inputs` and `outputs`, cached")

    def _pattern(self, item: Node, scope: _Scope, folder: str) -> str:
        excluded = item.get("exclude") if item.is_table else None
        node = excluded if excluded is not None else item
        text = fill(node.text(), scope.variables).text
        for prefix in ("${PIPEC_ROOT}/", "./"):
            if text.startswith(prefix):
                folder = "" if prefix != "./" else folder
                text = text.removeprefix(prefix)
        if "$" in text:
            raise UntranslatableError(text)
        pattern = joined(folder, text) if text.startswith("../") else inside(folder, text)
        return f"!{pattern}" if excluded is not None else pattern

    def _settings(self, task: TargetTask, node: Node, written: _Written) -> None:
        platforms: dict[str, None] = {}
        for item in self._list(node, "platforms"):
            system, slash, _ = item.text().partition("/")
            known = _PLATFORMS.get(system)
            if known is None:
                task.dropped(item.place, f"platform `{item.text()}`", "pipec does not know it")
            else:
                platforms.setdefault(known)
                if slash:
                    task.approximated(
                        item.place, f"platform `{item.text()}`", "any processor will do"
                    )
        if platforms:
            task.fields["platforms"] = list(platforms)
        if _flag(node, "interactive"):
            task.fields["interactive"] = True
            for key in ("cache", "inputs", "outputs"):
                task.fields.pop(key, None)
        if written.is_internal:
            reason = "it can be called by its name as well"
            task.report.approximated(node.place, f"task `{task.shown}`: `internal`", reason)
        required = node.get("requires")
        if required is not None:
            task.dropped(required.place, "`requires`", "variables are filled in when importing")
        self._remark_others(node, task)

    def _remark_others(self, node: Node, task: TargetTask | None) -> None:
        subject = f"{task.shown}: " if task is not None else ""
        for member in node.members() if node.is_table else ():
            reason = _WITHOUT_EFFECT.get(member.key)
            if reason is None and member.key not in _HANDLED:
                reason = "pipec has nothing of the kind"
            if reason is not None:
                self.target.report.dropped(member.place, f"{subject}`{member.key}`", reason)

    def _aliases(self) -> None:
        for name, full in self.names.items():
            key = self.made.get((full, ()))
            if key is not None and name not in (full, full.removesuffix(":default")):
                job = self.target.add_job(
                    name.replace(":", "-"), self.target.tasks[key].place, [key]
                )
                job.fields["description"] = f"another name of `{full}`"


def _flag(node: Node, key: str) -> bool:
    found = node.get(key) if node.is_table else None
    return found is not None and found.value is True


def _texts(node: Node, key: str) -> list[str]:
    found = node.get(key)
    return [item.text() for item in found.one_or_more()] if found is not None else []


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."  # noqa: PLR2004 - fits a line of the report


TASKFILE = Importer(kind="taskfile", tool="Task", names=_NAMES, read=read)
