"""What a run found out about keys by running something: too dear to be found anew just to look."""

from dataclasses import dataclass, field

from pipec.ir.inputs import CommandInput
from pipec.ir.task import Task, TaskId
from pipec.runtime.ready import Returned, dynamic_steps


@dataclass(slots=True)
class Found:
    """What `dynamic` functions returned, by task, and the values of input commands.

    Who looks takes them to be what they were: only a run finds them anew. `code` is what the
    functions of a task were when they were called; it is no part of the key, what they return is.
    """

    returned: dict[TaskId, Returned] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    code: dict[TaskId, str] = field(default_factory=dict)

    def covers(self, task: Task) -> bool:
        """Whether all that has to run before the task's key is known has run."""
        commands = (item for item in task.structured_inputs if isinstance(item, CommandInput))
        return all(item.command in self.commands for item in commands) and (
            task.id in self.returned or not dynamic_steps(task)
        )

    def forget(self, task: Task) -> None:
        """The task failed before its key was known: what was found before says nothing any more."""
        self.returned.pop(task.id, None)
        for item in task.structured_inputs:
            if isinstance(item, CommandInput):
                self.commands.pop(item.command, None)

    def with_later(self, later: "Found") -> "Found":
        """This and what was found later, which counts."""
        return Found(
            {**self.returned, **later.returned},
            {**self.commands, **later.commands},
            {**self.code, **later.code},
        )
