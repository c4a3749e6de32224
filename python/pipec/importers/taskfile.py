"""`pipec import taskfile`: tasks of a Taskfile (version 3) and of the files that it includes."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipec.importers.files import Files
from pipec.importers.paths import inside, joined
from pipec.importers.port import Importer
from pipec.importers.shells import conditional, may_fail, needs_bash, prefixed
from pipec.importers.target import Key, Target, TargetTask
from pipec.importers.taskfile_files import (
    NAMES,
    Scope,
    Taskfiles,
    Written,
    flag_of,
    items_of,
    report_others,
    variables_of,
)
from pipec.importers.taskfile_steps import PLATFORMS, Commands
from pipec.importers.templates import UntranslatableError, fill
from pipec.importers.tree import Node

_MOST_INSTANCES = 2_000

Steps = list[object]


def read(path: str, files: Files, target: Target) -> None:
    """Imports a Taskfile."""
    taskfiles = Taskfiles(files, target)
    taskfiles.read(path)
    _Import(taskfiles, target).run()


@dataclass(slots=True)
class _Import:
    taskfiles: Taskfiles
    target: Target
    made: dict[tuple[str, tuple[tuple[str, str], ...]], Key] = field(default_factory=dict)
    commands: Commands = field(init=False)

    def __post_init__(self) -> None:
        self.commands = Commands(self.taskfiles, self.target, self._make)

    def run(self) -> None:
        for name, written in self.taskfiles.written.items():
            if "*" in name:
                reason = "it is made for names that are known when it is called"
                self.target.dropped(written.node.place, f"task `{name}`", reason)
            else:
                self._make(name, {}, written.node)
        self.taskfiles.raise_findings()
        order = list(self.taskfiles.written)
        self.target.tasks = dict(
            sorted(self.target.tasks.items(), key=lambda item: order.index(item[0][0]))
        )
        self._aliases()

    def _make(self, name: str, given: Mapping[str, str], caller: Node) -> Key | None:
        """The task with these variables; made when it is first asked for."""
        written = self.taskfiles.written[name]
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
        self, task: TargetTask, written: Written, given: Mapping[str, str], template: str
    ) -> None:
        """Leaves a task to Task itself, with all that it depends on."""
        task.fields.clear()
        task.needs.clear()
        words = ["task", written.name, *(f"{name}={value}" for name, value in given.items())]
        task.fields["run"] = shlex.join(words)
        reason = "it is left to Task, with what it depends on: pipec has no templates"
        task.approximated(written.node.place, f"`{_short(template)}`", reason)

    def _fill(self, task: TargetTask, written: Written, given: Mapping[str, str]) -> None:
        node, scope = written.node, written.scope
        variables = {**scope.variables, **given}
        if node.is_table:
            variables = {
                **scope.variables,
                **dict(variables_of(node.get("vars"), self.target.report)),
                **given,
            }
        variables["TASK"] = written.name
        variables["ROOT_DIR"] = "${PIPEC_ROOT}"
        variables["USER_WORKING_DIR"] = "${PIPEC_ROOT}"
        variables["TASKFILE_DIR"] = f"${{PIPEC_ROOT}}/{scope.folder}".rstrip("/")
        scope = replace(scope, variables=variables)
        if not node.is_table:
            exports = self.commands.env(task, None, scope)
            commands = self.commands.steps(task, node, scope)
            self._finish(task, [prefixed(step, exports) for step in commands], scope)
            return
        for key in ("desc", "summary"):
            text = node.get(key)
            if text is not None and "description" not in task.fields and "{{" not in text.text():
                task.fields["description"] = " ".join(text.text().split())
        folder = scope.folder
        if node.get("dir") is not None:
            folder = self.commands.folder(node, scope)
        if folder:
            task.fields["cwd"] = folder
        for item in items_of(node, "deps"):
            self.commands.depend(task, item, scope)
        exports = self.commands.env(task, node, scope)
        steps: Steps = []
        for item in items_of(node, "preconditions"):
            steps.append(self.commands.precondition(item, scope))
        cmd = node.get("cmd")
        written_steps = cmd if cmd is not None else node.get("cmds")
        if written_steps is not None:
            steps += self.commands.steps(task, written_steps, scope)
        condition = node.get("if")
        if condition is not None:
            holds = fill(condition.text(), variables).text
            steps = [conditional(holds, step) for step in steps]
        steps = [prefixed(step, exports) for step in steps]
        if flag_of(node, "ignore_error"):
            steps = [may_fail(step) if isinstance(step, str) else step for step in steps]
        self._caching(task, node, scope, folder)
        self._settings(task, node, written)
        self._finish(task, steps, scope)

    def _finish(self, task: TargetTask, steps: Steps, scope: Scope) -> None:
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

    def _caching(self, task: TargetTask, node: Node, scope: Scope, folder: str) -> None:
        sources, method = items_of(node, "sources"), node.get("method")
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
        for item in items_of(node, "generates"):
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

    def _pattern(self, item: Node, scope: Scope, folder: str) -> str:
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

    def _settings(self, task: TargetTask, node: Node, written: Written) -> None:
        platforms: dict[str, None] = {}
        for item in items_of(node, "platforms"):
            system, slash, _ = item.text().partition("/")
            known = PLATFORMS.get(system)
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
        if flag_of(node, "interactive"):
            task.fields["interactive"] = True
            for key in ("cache", "inputs", "outputs"):
                task.fields.pop(key, None)
        if written.is_internal:
            reason = "it can be called by its name as well"
            task.report.approximated(node.place, f"task `{task.shown}`: `internal`", reason)
        required = node.get("requires")
        if required is not None:
            task.dropped(required.place, "`requires`", "variables are filled in when importing")
        report_others(node, task.report, f"{task.shown}: ")

    def _aliases(self) -> None:
        for name, full in self.taskfiles.names.items():
            key = self.made.get((full, ()))
            if key is not None and name not in (full, full.removesuffix(":default")):
                job = self.target.add_job(
                    name.replace(":", "-"), self.target.tasks[key].place, [key]
                )
                job.fields["description"] = f"another name of `{full}`"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."  # noqa: PLR2004 - fits a line of the report


TASKFILE = Importer(kind="taskfile", tool="Task", names=NAMES, read=read)
