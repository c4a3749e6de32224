"""What the rules look at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipec.frontend.document import Document
from pipec.frontend.origins import TaskOrigin
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId
from pipec.spec.base import kebab
from pipec.spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class Checked:
    """A pipeline as written and as normalized, and the way back from the one to the other."""

    spec: PipelineSpec
    pipeline: Pipeline
    origins: Mapping[TaskId, TaskOrigin]
    member_origins: Mapping[TaskId, TaskOrigin]
    document: Document

    @cached_property
    def written_tasks(self) -> Sequence[tuple[Task, TaskOrigin]]:
        """One task for each that is written: of the combinations of a matrix the first."""
        return tuple(_each_written(self.pipeline.tasks, self.origins))

    @cached_property
    def all_written(self) -> Sequence[tuple[Task, TaskOrigin]]:
        """The same, and then the tasks that every member of the workspace gets."""
        if self.pipeline.workspace is None:
            return self.written_tasks
        members = _each_written(self.pipeline.workspace.tasks, self.member_origins)
        return (*self.written_tasks, *members)

    def sections(self) -> frozenset[str]:
        """The keys that the file has at its top."""
        return frozenset(kebab(name) for name in self.spec.model_fields_set)


def _each_written(
    tasks: Mapping[TaskId, Task], origins: Mapping[TaskId, TaskOrigin]
) -> Iterator[tuple[Task, TaskOrigin]]:
    last = None
    for task_id, task in tasks.items():
        origin = origins[task_id]
        if origin is not last:
            yield task, origin
        last = origin
