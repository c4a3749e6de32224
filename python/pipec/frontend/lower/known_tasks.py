"""What is known of the tasks of a text's last version: what stayed the same is not judged again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipec.frontend.lower.tree import Placed
from pipec.frontend.origins import TaskOrigin
from pipec.ir.task import Task, TaskId
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.task import TaskSpec


@dataclass(frozen=True, slots=True)
class LoweredTask:
    """A task in its normal form: one for each combination of a matrix.

    `around` is what it was lowered with, as `KnownTasks.begin` gave it.
    """

    place: Placed
    around: object
    tasks: Mapping[TaskId, Task]
    origin: TaskOrigin


@dataclass(slots=True)
class KnownTasks:
    """Tables of tasks that had no mistake, and what they were lowered to.

    A table is known by its identity: what was read once and not again is the same value. Two equal
    ones need not mean the same, for 1 equals true. Two versions may be judged at once: nothing that
    is kept is believed without a look at what it belongs to.
    """

    _specs: dict[int, tuple[Any, TaskSpec]] = field(default_factory=dict)
    _lowered: dict[str, LoweredTask] = field(default_factory=dict)
    _around: object = None

    def in_place(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values of a file with the models of the tables that are known in their place."""
        tasks = values.get("tasks")
        if not self._specs or not isinstance(tasks, dict):
            return values
        return {**values, "tasks": {name: self._spec_of(table) for name, table in tasks.items()}}

    def note(self, values: dict[str, Any], spec: PipelineSpec) -> None:
        """Keeps the models of a file without mistakes."""
        tables = values.get("tasks", {})
        self._specs = {
            id(tables[name]): (tables[name], node)
            for name, node in spec.tasks.items()
            if isinstance(node, TaskSpec)
        }

    def begin(self, around: object) -> object:
        """Gives what is around the tasks: the very same value as long as nothing has changed."""
        known = self._around
        if around == known:
            return known
        self._around, self._lowered = around, {}
        return around

    def lowered(self, place: Placed, around: object) -> LoweredTask | None:
        """What this very task was lowered to, with this very value around."""
        known = self._lowered.get(place.name)
        if known is None or known.around is not around or known.place.spec is not place.spec:
            return None
        return known if known.place == place else None

    def keep(self, task: LoweredTask) -> None:
        """Keeps what a task was lowered to without a finding."""
        self._lowered[task.place.name] = task

    def _spec_of(self, table: Any) -> Any:
        known = self._specs.get(id(table))
        return table if known is None or known[0] is not table else known[1]
