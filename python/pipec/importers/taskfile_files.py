"""The tasks of a Taskfile and of the files that it includes, as they are written."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pipec.importers.files import Files
from pipec.importers.paths import joined
from pipec.importers.read_yaml import read_yaml
from pipec.importers.report import Report
from pipec.importers.target import Target
from pipec.importers.templates import Command, Variable
from pipec.importers.tree import Node, Tree

NAMES = (
    "Taskfile.yml",
    "taskfile.yml",
    "Taskfile.yaml",
    "taskfile.yaml",
    "Taskfile.dist.yml",
    "taskfile.dist.yml",
    "Taskfile.dist.yaml",
    "taskfile.dist.yaml",
)
DEEPEST = 20
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


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a task stands: its namespace, the folder of its file, and the variables it sees."""

    namespace: tuple[str, ...]
    folder: str
    variables: Mapping[str, Variable]
    env: Mapping[str, Node]
    method: str = "checksum"
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A task as it is written, and where."""

    name: str
    node: Node
    scope: Scope
    is_internal: bool


@dataclass(slots=True)
class Taskfiles:
    """All files that were read: `written` holds tasks by their full names.

    `names` are those that a task can be called by, with the full name that each means.
    """

    files: Files
    target: Target
    written: dict[str, Written] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    _trees: list[Tree] = field(default_factory=list)

    def read(self, path: str) -> None:
        """Reads a Taskfile and what it includes.

        Raises:
            SpecError: one of them is not what the format asks for.
        """
        facts: dict[str, Variable] = {"TASKFILE": path}
        scope = Scope((), posixpath.dirname(path), facts, {})
        self._file(path, scope, is_internal=False, depth=0)

    def raise_findings(self) -> None:
        """Ends the import if what was asked for later is not what the format asks for.

        Raises:
            SpecError: with all of that.
        """
        for tree in self._trees:
            tree.raise_findings()

    def find(self, name: str, scope: Scope) -> str | None:
        """The full name of the task that a name means in a file."""
        if name.startswith(":"):
            return self.names.get(name[1:])
        return self.names.get(":".join((*scope.namespace, name)))

    def _file(self, path: str, scope: Scope, *, is_internal: bool, depth: int) -> None:
        tree = read_yaml(self.files.read(path))
        self._trees.append(tree)
        top = tree.top
        variables = {**scope.variables, **dict(variables_of(top.get("vars"), self.target.report))}
        env = {**scope.env}
        node = top.get("env")
        env.update({member.key: member for member in (node.members() if node else ())})
        method = top.get("method")
        scope = replace(
            scope,
            variables=variables,
            env=env,
            method=method.text() if method is not None else scope.method,
            options=tuple(option for key in ("set", "shopt") for option in texts_of(top, key)),
        )
        if depth == 0:
            self._dotenv(top)
        report_others(top, self.target.report)
        tasks = top.get("tasks")
        for member in tasks.members() if tasks is not None else ():
            full = ":".join((*scope.namespace, member.key))
            self.written[full] = Written(
                full, member, scope, is_internal or flag_of(member, "internal")
            )
            self.names[full] = full
            for alias in texts_of(member, "aliases") if member.is_table else ():
                self.names.setdefault(":".join((*scope.namespace, alias)), full)
        if depth < DEEPEST:
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

    def _includes(self, top: Node, scope: Scope, *, is_internal: bool, depth: int) -> None:
        node = top.get("includes")
        for member in node.members() if node is not None else ():
            place = member.get("taskfile") if member.is_table else member
            written = place.text() if place is not None else ""
            path = self._included(written, scope.folder)
            if path is None:
                optional = member.is_table and flag_of(member, "optional")
                reason = "there is no such file in the project" + (
                    ": it is optional" if optional else ""
                )
                self.target.dropped(member.place, f"include `{member.key}`", reason)
                continue
            own = (
                dict(variables_of(member.get("vars"), self.target.report))
                if member.is_table
                else {}
            )
            folder = scope.folder
            if member.is_table and member.get("dir") is not None:
                folder = joined(scope.folder, member.get("dir").text())  # type: ignore[union-attr]
            flatten = member.is_table and flag_of(member, "flatten")
            namespace = scope.namespace if flatten else (*scope.namespace, member.key)
            inner = Scope(namespace, folder, {**scope.variables, **own}, scope.env)
            hidden = is_internal or (member.is_table and flag_of(member, "internal"))
            self._file(path, inner, is_internal=hidden, depth=depth + 1)
            full = ":".join(namespace)
            if f"{full}:default" in self.written:
                self.names.setdefault(full, f"{full}:default")
            for alias in texts_of(member, "aliases") if member.is_table else ():
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
        candidates = [path, *(posixpath.join(path, name) for name in NAMES)]
        return next((known for known in candidates if self.files.exists(known)), None)


def variables_of(node: Node | None, report: Report) -> Iterator[tuple[str, Variable]]:
    """The variables of a table; what is not known before a run is reported."""
    for member in node.members() if node is not None else ():
        if member.is_table:
            command = member.get("sh")
            if command is not None:
                yield member.key, Command(command.text())
                reason = "a step that needs it asks the shell"
                report.approximated(member.place, f"variable `{member.key}`", reason)
            else:
                reason = "only Task knows its value: tasks that need it call Task"
                report.dropped(member.place, f"variable `{member.key}`", reason)
                yield member.key, ()
        elif member.is_list:
            yield member.key, tuple(str(item.value) for item in member.items())
        elif member.value is not None:
            yield member.key, member.scalar() or ""


def report_others(node: Node, report: Report, subject: str = "") -> None:
    """Says which keys of a table have no effect. `subject` comes before each of them."""
    for member in node.members() if node.is_table else ():
        reason = _WITHOUT_EFFECT.get(member.key)
        if reason is None and member.key not in _HANDLED:
            reason = "pipec has nothing of the kind"
        if reason is not None:
            report.dropped(member.place, f"{subject}`{member.key}`", reason)


def flag_of(node: Node, key: str) -> bool:
    """Whether a member of a table is true."""
    found = node.get(key) if node.is_table else None
    return found is not None and found.value is True


def texts_of(node: Node, key: str) -> list[str]:
    """One text or a list of them."""
    found = node.get(key)
    return [item.text() for item in found.one_or_more()] if found is not None else []


def items_of(node: Node, key: str) -> list[Node]:
    """One value or a list of them."""
    found = node.get(key)
    return list(found.one_or_more()) if found is not None else []
