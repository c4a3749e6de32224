"""What the rules look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipec.frontend.document import Document
from pipec.frontend.origins import TaskOrigin
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId
from pipec.spec.base import kebab
from pipec.spec.pipeline import PipelineSpec


@dataclass(frozen=True, slots=True)
class Checked:
    """A pipeline as written and as normalized, and the way back from the one to the other."""

    spec: PipelineSpec
    pipeline: Pipeline
    origins: Mapping[TaskId, TaskOrigin]
    member_origins: Mapping[TaskId, TaskOrigin]
    document: Document

    def written_tasks(self) -> Iterator[tuple[Task, TaskOrigin]]:
        """One task for each that is written: of the combinations of a matrix the first."""
        yield from _each_written(self.pipeline.tasks, self.origins)

    def all_written(self) -> Iterator[tuple[Task, TaskOrigin]]:
        """The same, and then the tasks that every member of the workspace gets."""
        yield from self.written_tasks()
        if self.pipeline.workspace is not None:
            yield from _each_written(self.pipeline.workspace.tasks, self.member_origins)

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
