"""Where the nodes of the normalized pipeline come from: a side table, for findings of any phase."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from pipec.diagnostics import Route
from pipec.ir.task import TaskId


@dataclass(frozen=True, slots=True)
class TaskOrigin:
    """The route of a task, of the fields that came from `task-defaults`, and of its references.

    `written` names the fields that the file has for the task, in the models' spelling. `needs`
    holds, for each dependency, the index of the reference that brought it. `inputs` holds,
    for each rule of the inputs, its index in the file. `has_list` says whether `run` is a list.
    """

    route: Route
    inherited: Mapping[str, Route] = field(default_factory=dict)
    written: AbstractSet[str] = frozenset()
    needs: tuple[tuple[TaskId, int], ...] = ()
    inputs: tuple[int, ...] = ()
    has_list: bool = False

    def of(self, key: str, *rest: str | int) -> Route:
        """The route of one of the task's fields, or of a value in it."""
        return (*self.inherited.get(key, (*self.route, key)), *rest)

    def of_need(self, need: TaskId) -> Route:
        """The route of the reference that brought a dependency."""
        index = next(index for task, index in self.needs if task == need)
        return self.of("depends-on", index)

    def of_step(self, index: int) -> Route:
        """The route of a step, which may stand alone or in a list."""
        if "steps" in self.written:
            return self.of("steps", index)
        return self.of("run", index) if self.has_list else self.of("run")
