"""`pipec import github`: a task, a job and triggers for each job of GitHub workflows."""

import posixpath
import re
from dataclasses import dataclass

from pipec.importers.files import Files
from pipec.importers.github_expressions import UntranslatableError, env_value, fill_in
from pipec.importers.github_triggers import Workflow, import_triggers
from pipec.importers.port import Importer
from pipec.importers.read_yaml import read_yaml
from pipec.importers.shells import may_fail
from pipec.importers.target import Target, TargetTask
from pipec.importers.tree import Node, Tree

_FOLDER = ".github/workflows/"
_SETUPS = {
    "actions/setup-node": ("node", "npm"),
    "actions/setup-python": ("python",),
    "actions/setup-go": ("go",),
    "actions/setup-java": ("java",),
    "actions/setup-dotnet": ("dotnet",),
    "ruby/setup-ruby": ("ruby", "bundle"),
    "pnpm/action-setup": ("pnpm",),
    "oven-sh/setup-bun": ("bun",),
    "denoland/setup-deno": ("deno",),
    "astral-sh/setup-uv": ("uv",),
    "dtolnay/rust-toolchain": ("cargo",),
    "actions-rs/toolchain": ("cargo",),
    "actions-rust-lang/setup-rust-toolchain": ("cargo",),
    "extractions/setup-just": ("just",),
    "arduino/setup-task": ("task",),
    "docker/setup-buildx-action": ("docker",),
}
_REPLACED = {
    "actions/checkout": "tasks run in a checkout",
    "actions/cache": "results are kept by the cache of pipec",
    "Swatinem/rust-cache": "results are kept by the cache of pipec",
    "actions/upload-artifact": "outputs of tasks are kept by the cache of pipec",
    "actions/download-artifact": "outputs of a dependency are there when a task starts",
}
_WITHOUT_EFFECT = {
    "if": "only GitHub can evaluate it: the job always runs",
    "outputs": "tasks hand on files, and no values",
    "container": "declare it under `sandboxes`",
    "services": "pipec starts no services",
    "secrets": "secrets are named where a task needs them",
    "with": "what a called workflow takes is not known here",
}
_JOB_KEYS = frozenset(
    {"name", "needs", "runs-on", "permissions", "environment", "concurrency", "env", "defaults",
     "steps", "timeout-minutes", "strategy", "continue-on-error", "uses"}
)  # fmt: skip
_WORKFLOW_KEYS = frozenset(
    {"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"}
)


def read(path: str, files: Files, target: Target) -> None:
    """Imports a workflow, or all workflows of a folder."""
    paths = [path]
    if path.endswith("/"):
        names = [name for name in files.names(path) if name.endswith((".yml", ".yaml"))]
        paths = [posixpath.join(path, name) for name in names]
    trees: list[Tree] = []
    for known in paths:
        tree = read_yaml(files.read(known))
        trees.append(tree)
        name = posixpath.splitext(posixpath.basename(known))[0]
        _import(Workflow(name=name, top=tree.top, groups=len(paths) > 1), target)
        tree.raise_findings()


def _import(workflow: Workflow, target: Target) -> None:
    top = workflow.top
    import_triggers(workflow, target)
    jobs = top.get("jobs")
    for node in jobs.members() if jobs is not None else ():
        if node.is_table:
            _Job(workflow, node, target).run()
    for member in top.members() if top.is_table else ():
        if member.key not in _WORKFLOW_KEYS:
            target.dropped(member.place, f"`{member.key}`", "pipec has nothing of the kind")


@dataclass(slots=True)
class _Job:
    workflow: Workflow
    node: Node
    target: Target

    @property
    def job_name(self) -> str:
        return f"{self.workflow.name}-{self.node.key}" if self.workflow.groups else self.node.key

    def run(self) -> None:
        node, place = self.node, self.node.place
        called = node.get("uses")
        if called is not None:
            reason = "a workflow that is called is imported by itself"
            self.target.dropped(called.place, f"job `{node.key}`: `uses: {called.text()}`", reason)
            return
        group = (self.workflow.name,) if self.workflow.groups else ()
        task = self.target.add((self.workflow.name, node.key), (*group, node.key), place)
        job = self.target.add_job(self.job_name, place, [task.key])
        job.fields["trigger"] = list(self.workflow.triggers)
        if self.workflow.params:
            job.fields["params"] = dict(self.workflow.params)
        name = node.get("name")
        if name is not None and "${{" not in name.text():
            task.fields["description"] = name.text()
        needs = node.get("needs")
        for item in needs.one_or_more() if needs is not None else ():
            key = (self.workflow.name, item.text())
            task.needs_task(key, item.place)
            job.fields.setdefault("needs", []).append(
                f"{self.workflow.name}-{item.text()}" if self.workflow.groups else item.text()
            )
        matrix = self._matrix(task)
        self._github(task, job.fields, matrix)
        self._env(task, (self.workflow.top.get("env"), node.get("env")))
        timeout = node.get("timeout-minutes")
        if timeout is not None and isinstance(timeout.value, int):
            task.fields["timeout"] = f"{timeout.value}m"
        allowed = node.get("continue-on-error")
        if allowed is not None and allowed.value is True:
            task.fields["allow-failure"] = True
        self._steps(task)
        if matrix:
            task.fields["matrix"] = matrix
        for member in node.members():
            reason = _WITHOUT_EFFECT.get(member.key, "pipec has nothing of the kind")
            if member.key not in _JOB_KEYS:
                task.dropped(member.place, f"`{member.key}`", reason)
        self.target.report.exact(place, f"job `{node.key}`", "a job and its task")

    def _matrix(self, task: TargetTask) -> dict[str, object]:
        strategy = self.node.get("strategy")
        if strategy is None or not strategy.is_table:
            return {}
        for member in strategy.members():
            if member.key != "matrix":
                reason = "pipec ends what depends on a failed task, and nothing else"
                task.dropped(member.place, f"`{member.key}`", reason)
        node = strategy.get("matrix")
        matrix: dict[str, object] = {}
        if node is None or not node.is_table:
            if node is not None:
                task.dropped(node.place, "`matrix`", "only GitHub can evaluate it")
            return {}
        for member in node.members():
            if member.key in ("include", "exclude"):
                rows = list(member.items()) if member.is_list else []
                plain = [row.value for row in rows if _is_plain_row(row)]
                if plain and len(plain) == len(rows):
                    matrix[member.key] = [
                        {key: _cell(value) for key, value in row.items()} for row in plain
                    ]
                else:
                    task.dropped(member.place, f"`{member.key}`", "it holds more than plain values")
            elif member.is_list and member.value and all(map(_is_plain, member.value)):
                matrix[member.key] = [_cell(value) for value in member.value]
            else:
                task.dropped(member.place, f"`{member.key}`", "it holds more than plain values")
        if not [key for key in matrix if key not in ("include", "exclude")]:
            matrix.pop("exclude", None)
        return matrix

    def _github(
        self, task: TargetTask, fields: dict[str, object], matrix: dict[str, object]
    ) -> None:
        settings = self._runner(task, matrix)
        for key in ("permissions", "concurrency"):
            node = self.node.get(key) or self.workflow.top.get(key)
            if node is None:
                continue
            if key == "permissions" and not node.is_table:
                task.dropped(node.place, "`permissions`", "name the permissions one by one")
            elif (
                key == "concurrency"
                and node.is_table
                and not isinstance(node.value.get("cancel-in-progress", False), bool)
            ):
                settings[key] = str(node.value.get("group", ""))
            else:
                settings[key] = dict(node.value) if node.is_table else node.value
        timeout = self.node.get("timeout-minutes")
        if timeout is not None and isinstance(timeout.value, int):
            settings["timeout-minutes"] = timeout.value
        if settings:
            fields["github"] = settings
        environment = self.node.get("environment")
        if environment is not None:
            fields["environment"] = environment.value

    def _runner(self, task: TargetTask, matrix: dict[str, object]) -> dict[str, object]:
        """The labels of the runner, or those of a matrix."""
        node = self.node.get("runs-on")
        if node is not None and node.is_table:
            node = node.get("labels")
        if node is None or node.is_table:
            return {}
        labels = [item.text() for item in node.one_or_more()]
        variable = re.fullmatch(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}", " ".join(labels))
        name = variable.group(1) if variable is not None else ""
        runners = matrix.get(name)
        if isinstance(runners, list):
            is_simple = "include" not in matrix and "exclude" not in matrix
            if is_simple and not self._uses_elsewhere(name):
                # Only the runners differ: one job for each, and the task stays one.
                del matrix[name]
            return {"runs-on-matrix": runners}
        if any("${{" in label for label in labels):
            task.dropped(node.place, "`runs-on`", "only GitHub can evaluate it")
            return {}
        return {"runs-on": labels[0] if len(labels) == 1 else labels} if labels else {}

    def _uses_elsewhere(self, name: str) -> bool:
        return f"matrix.{name}" in str(
            {key: value for key, value in self.node.value.items() if key not in ("runs-on", "name")}
        )

    def _env(self, task: TargetTask, tables: tuple[Node | None, ...]) -> None:
        env = dict(task.fields.get("env", {}))
        for table in tables:
            for node in table.members() if table is not None and table.is_table else ():
                if node.value is None:
                    continue
                text = node.scalar() or ""
                value = env_value(text)
                if value is None:
                    task.dropped(node.place, f"`env` `{node.key}`", "only GitHub can evaluate it")
                else:
                    env[node.key] = value
        if env:
            task.fields["env"] = env

    def _steps(self, task: TargetTask) -> None:
        steps: list[object] = []
        node = self.node.get("steps")
        for item in node.items() if node is not None else ():
            if not item.is_table:
                item.get("run")
                continue
            used, run = item.get("uses"), item.get("run")
            if used is not None:
                self._action(task, used)
            elif run is not None:
                try:
                    steps.append(self._step(task, item, run))
                except UntranslatableError as problem:
                    reason = f"only GitHub can evaluate `{problem}`"
                    task.dropped(run.place, f"step `{_title(item)}`", reason)
        if steps:
            task.fields["run"] = steps[0] if len(steps) == 1 else steps
            if "shell" not in task.fields:
                task.fields["shell"] = "bash"

    def _action(self, task: TargetTask, used: Node) -> None:
        action = used.text().partition("@")[0]
        tools = _SETUPS.get(action)
        if tools is not None:
            required = task.fields.setdefault("requires", {"tools": []})
            required["tools"] = list(dict.fromkeys([*required["tools"], *tools]))
            reason = "the tools have to be there: which version is not said"
            task.approximated(used.place, f"`{used.text()}`", reason)
            return
        reason = _REPLACED.get(action, "actions run on GitHub only")
        if action in _REPLACED:
            self.target.report.dropped(used.place, f"{task.shown}: `{used.text()}`", reason)
        else:
            task.dropped(used.place, f"`{used.text()}`", reason)

    def _step(self, task: TargetTask, item: Node, run: Node) -> object:
        text = fill_in(task, run.text().strip("\n") or ":")
        step: dict[str, object] = {"sh": text}
        if item.get("if") is not None:
            condition = item.get("if")
            reason = "only GitHub can evaluate it: the step always runs"
            task.dropped(condition.place, f"`if` of step `{_title(item)}`", reason)  # type: ignore[union-attr]
        name = item.get("name")
        if name is not None and "${{" not in name.text() and name.text().strip():
            step["name"] = name.text()
        folder = item.get("working-directory") or self._default("working-directory")
        if folder is not None:
            if "${{" in folder.text():
                raise UntranslatableError(folder.text())
            step["cwd"] = folder.text()
        shell = item.get("shell") or self._default("shell")
        if shell is not None and shell.text() != "bash":
            known = {"python": ["python", "-c"], "sh": "sh", "pwsh": "pwsh", "cmd": "cmd"}
            if shell.text() not in known:
                raise UntranslatableError(f"shell: {shell.text()}")
            step["shell"] = known[shell.text()]
        timeout = item.get("timeout-minutes")
        if timeout is not None and isinstance(timeout.value, int):
            step["timeout"] = f"{timeout.value}m"
        env: dict[str, object] = {}
        table = item.get("env")
        for node in table.members() if table is not None and table.is_table else ():
            value = env_value(node.scalar() or "") if node.value is not None else ""
            if value is None:
                raise UntranslatableError(str(node.value))
            env[node.key] = value
        if env:
            step["env"] = env
        allowed = item.get("continue-on-error")
        if allowed is not None and allowed.value is True:
            step["sh"] = may_fail(text)
        return step["sh"] if len(step) == 1 else step

    def _default(self, key: str) -> Node | None:
        for around in (self.node, self.workflow.top):
            found = around.get("defaults")
            found = found.get("run") if found is not None else None
            found = found.get(key) if found is not None else None
            if found is not None:
                return found
        return None


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float)) and "${{" not in str(value)


def _is_plain_row(row: Node) -> bool:
    return row.is_table and all(map(_is_plain, row.value.values()))


def _cell(value: object) -> object:
    """A value of a matrix: a fraction is text, as it is for GitHub."""
    return str(value) if isinstance(value, float) else value


def _title(item: Node) -> str:
    name = item.get("name")
    run = item.get("run")
    text = name.text() if name is not None else run.text() if run is not None else ""
    line = text.strip().split("\n")[0]
    return line if len(line) <= 60 else f"{line[:57]}..."  # noqa: PLR2004 - fits a line


GITHUB = Importer(kind="github", tool="GitHub Actions", names=(_FOLDER,), read=read)
