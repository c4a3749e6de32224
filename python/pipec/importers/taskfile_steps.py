"""What the commands of a task of a Taskfile become: steps, and tasks that they call."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from pipec.importers.paths import joined, matcher
from pipec.importers.shells import conditional, demand, may_fail, only_on, with_commands
from pipec.importers.target import Key, Target, TargetTask
from pipec.importers.taskfile_files import (
    DEEPEST,
    Scope,
    Taskfiles,
    flag_of,
    items_of,
    texts_of,
    variables_of,
)
from pipec.importers.templates import Filled, UntranslatableError, fill
from pipec.importers.tree import Node

PLATFORMS = {"linux": "linux", "darwin": "macos", "windows": "windows"}
"""Names of platforms, and ours for them."""


@dataclass(slots=True)
class Commands:
    """Writes the commands of tasks. `make` gives the task of a name with these variables.

    Every method raises `UntranslatableError` for a template that only Task can fill in.
    """

    taskfiles: Taskfiles
    target: Target
    make: Callable[[str, Mapping[str, str], Node], Key | None]

    def steps(
        self, task: TargetTask, commands: Node, scope: Scope, depth: int = 0
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
                self.depend(task, item, scope)
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

    def precondition(self, item: Node, scope: Scope) -> str:
        """The step that fails where a precondition does not hold."""
        node = item.get("sh") if item.is_table else item
        message = item.get("msg") if item.is_table else None
        condition = fill(node.text() if node is not None else "", scope.variables)
        text = fill(message.text(), scope.variables).text if message is not None else ""
        self.target.report.exact(item.place, "`preconditions`", "a step before the others")
        said = text or f"`{condition.text}` does not hold"
        return with_commands(demand(condition.text or "true", said), condition.commands)

    def env(self, task: TargetTask, node: Node | None, scope: Scope) -> list[str]:
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
        if node is not None and texts_of(node, "dotenv"):
            reason = "files of variables belong to the pipeline as a whole"
            task.dropped(node.place, "`dotenv`", reason)
        return exports

    def depend(self, task: TargetTask, item: Node, scope: Scope) -> None:
        """Lets a task wait for those that an item calls."""
        for name, given in self._calls(item, scope):
            key = self.make(name, given, item)
            if key is not None:
                task.needs_task(key, item.place)

    def folder(self, node: Node, scope: Scope) -> str:
        """The folder that `dir` names; empty for the pipeline's own."""
        found = node.get("dir")
        text = fill(found.text() if found is not None else "", scope.variables).text
        for prefix in ("${PIPEC_ROOT}/", "${PIPEC_ROOT}"):
            if text.startswith(prefix):
                return joined("", text.removeprefix(prefix))
        if "$" in text:
            raise UntranslatableError(text)
        return joined(scope.folder, text)

    def _calls(self, item: Node, scope: Scope) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The tasks that an item calls, with the variables that it gives them."""
        for round_ in self._rounds(item, scope):
            node = item.get("task") if item.is_table else item
            written = fill(node.text() if node is not None else "", round_.variables).text
            name = self.taskfiles.find(written, scope)
            if name is None:
                if any(
                    matcher(known.replace(":", "/")).fullmatch(written.replace(":", "/"))
                    for known in self.taskfiles.names
                    if "*" in known
                ):
                    raise UntranslatableError(written)
                reason = "there is no such task"
                self.target.dropped(item.place, f"call of `{written}`", reason)
                continue
            given: dict[str, str] = {}
            node = item.get("vars") if item.is_table else None
            for key, value in variables_of(node, self.target.report):
                if not isinstance(value, str):
                    raise UntranslatableError(f"{{{{.{key}}}}}")
                filled = fill(value, round_.variables)
                if filled.commands:
                    raise UntranslatableError(value)
                given[key] = filled.text
            yield name, given

    def _rounds(self, item: Node, scope: Scope) -> Iterator[Scope]:
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

    def _step(self, task: TargetTask, item: Node, text: str, scope: Scope) -> str:
        filled: Filled = fill(text, scope.variables)
        if filled.arguments:
            reason = "pipec hands no arguments on: they are empty"
            task.approximated(item.place, "`{{.CLI_ARGS}}`", reason)
        return with_commands(filled.text.strip(), filled.commands) or ":"

    def _with_options(self, item: Node, text: str, scope: Scope) -> str:
        condition = item.get("if")
        if condition is not None:
            text = str(conditional(fill(condition.text(), scope.variables).text, text))
        platforms = texts_of(item, "platforms")
        if platforms:
            text = only_on(PLATFORMS.get(platforms[0].partition("/")[0], platforms[0]), text)
        return may_fail(text) if flag_of(item, "ignore_error") else text

    def _inlined(self, task: TargetTask, item: Node, scope: Scope, depth: int) -> Iterator[object]:
        """The steps of a task that is called between commands."""
        if depth > DEEPEST:
            raise UntranslatableError("task")
        for name, given in self._calls(item, scope):
            called = self.taskfiles.written[name]
            inner = TargetTask(key=task.key, path=task.path, place=item.place, report=task.report)
            variables = {**called.scope.variables, **given, "TASK": name}
            inner_scope = replace(called.scope, variables=variables)
            node: Node | None = called.node
            folder = called.scope.folder
            if called.node.is_table:
                own = dict(variables_of(called.node.get("vars"), self.target.report))
                inner_scope = replace(
                    inner_scope, variables={**called.scope.variables, **own, **given}
                )
                folder = self.folder(called.node, inner_scope) if called.node.get("dir") else folder
                for need in items_of(called.node, "deps"):
                    self.depend(inner, need, inner_scope)
                node = called.node.get("cmds") or called.node.get("cmd")
            steps = list(self.steps(inner, node, inner_scope, depth + 1)) if node else []
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
