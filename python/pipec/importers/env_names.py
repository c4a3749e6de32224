"""Names of host variables, as monorepo tools list them: deciding, or only let through."""

import re
from dataclasses import dataclass, field

from pipec.importers.target import Target, TargetTask
from pipec.importers.tree import Node

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?")


@dataclass(slots=True)
class EnvNames:
    """The variables of a task: `deciding` enter its key, `passed` are only seen."""

    deciding: dict[str, None] = field(default_factory=dict)
    passed: dict[str, None] = field(default_factory=dict)
    sees_all: bool = False

    def copy(self) -> "EnvNames":
        """The same names, to add others."""
        return EnvNames(dict(self.deciding), dict(self.passed), self.sees_all)

    def add(self, item: Node, target: Target) -> bool:
        """Adds a variable that decides; gives whether the language can say just that."""
        return self.add_name(item.text(), item, target)

    def add_name(self, name: str, item: Node, target: Target) -> bool:
        """Adds a variable that decides, by its name; `item` is where it is written."""
        if name.startswith("!"):
            reason = "names cannot be taken out again: a change of it makes tasks run again"
            target.approximated(item.place, f"variable `{name}`", reason)
            return False
        if _PATTERN.fullmatch(name):
            self.deciding.setdefault(name)
            return True
        if name == "*":
            self.sees_all = True
            reason = "a key cannot hold all variables: tasks see them, and none decides"
        else:
            reason = "a pattern of variables has its `*` at the end"
            prefix = re.match(r"[A-Za-z_][A-Za-z0-9_]*(?=\*)", name)
            if prefix is not None:
                self.deciding.setdefault(f"{prefix.group()}*")
        target.approximated(item.place, f"variables `{name}`", reason)
        return False

    def pass_through(self, item: Node, target: Target) -> None:
        """Adds a variable that is only seen. Only single names can be said so."""
        name = item.text()
        if _NAME.fullmatch(name):
            self.passed.setdefault(name)
            reason = "a variable that is missing on the host is empty for the task"
            target.report.approximated(item.place, f"variable `{name}`, passed through", reason)
        elif _PATTERN.fullmatch(name):
            self.deciding.setdefault(name)
            reason = "a pattern cannot be passed without deciding: a change makes tasks run again"
            target.approximated(item.place, f"variables `{name}`, passed through", reason)
        else:
            self.add_name(name, item, target)

    def fill(self, task: TargetTask) -> None:
        """Gives the names to a task."""
        passed = [name for name in self.passed if name not in self.deciding]
        if passed:
            task.fields["env"] = {
                name: {"var": name, "default": "", "in-key": False} for name in passed
            }
        if self.deciding:
            task.fields["env-inputs"] = list(self.deciding)
        if self.sees_all:
            task.fields["env-mode"] = "loose"
