"""What the rules look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipec.frontend.document import Document
from pipec.frontend.origins import TaskOrigin
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId
from pipec.spec.pipeline import PipelineSpec


@dataclass(frozen=True, slots=True)
class Checked:
    """A pipeline as written and as normalized, and the way back from the one to the other."""

    spec: PipelineSpec
    pipeline: Pipeline
    origins: Mapping[TaskId, TaskOrigin]
    document: Document

    def written_tasks(self) -> Iterator[tuple[Task, TaskOrigin]]:
        """One task for each that is written: of the combinations of a matrix the first."""
        last = None
        for task_id, task in self.pipeline.tasks.items():
            origin = self.origins[task_id]
            if origin is not last:
                yield task, origin
            last = origin
