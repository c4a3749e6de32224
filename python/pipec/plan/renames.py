"""Finds tasks that go on under another id, and gives a pipeline new ids."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from pipec.ir.codec import plain
from pipec.ir.inputs import OutputsOfInput, StructuredInput
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId
from pipec.plan.select import topological_order


def find_renames(before: Pipeline, after: Pipeline) -> dict[TaskId, TaskId]:
    """The new ids of tasks that are gone, if a new task is all the same but for its id.

    What a task depends on may have been renamed too. Of several equal ones each goes to one.
    """
    gone = before.tasks.keys() - after.tasks.keys()
    new = after.tasks.keys() - before.tasks.keys()
    if not gone or not new:
        return {}
    numbers: dict[str, int] = {}
    candidates: dict[int, list[TaskId]] = defaultdict(list)
    for task, content in sorted(_contents(after, new, numbers).items()):
        candidates[content].append(task)
    renames = {}
    for task, content in sorted(_contents(before, gone, numbers).items()):
        if candidates[content]:
            renames[task] = candidates[content].pop(0)
    return renames


def with_new_ids(pipeline: Pipeline, renames: Mapping[TaskId, TaskId]) -> Pipeline:
    """The pipeline with other ids for some tasks, wherever it refers to them."""
    if not renames:
        return pipeline
    tasks = [_renamed(task, renames) for task in pipeline.tasks.values()]
    jobs = {
        job_id: replace(job, targets=_new_ids(job.targets, renames))
        for job_id, job in pipeline.jobs.items()
    }
    by_id = {task.id: task for task in sorted(tasks, key=lambda task: task.id)}
    return replace(pipeline, tasks=by_id, jobs=jobs)


def _contents(pipeline: Pipeline, tasks: set[TaskId], numbers: dict[str, int]) -> dict[TaskId, int]:
    """A number for each task: two are equal if the tasks are, with all of them that they need."""
    stands_for: dict[TaskId, TaskId] = {}
    contents: dict[TaskId, int] = {}
    for task_id in topological_order(pipeline, tasks):
        task = _renamed(pipeline.tasks[task_id], stands_for)
        text = json.dumps(plain(task), sort_keys=True)
        contents[task_id] = numbers.setdefault(text, len(numbers))
        # No task has such an id.
        stands_for[task_id] = TaskId(f"\0{contents[task_id]}")
    return contents


def _renamed(task: Task, renames: Mapping[TaskId, TaskId]) -> Task:
    return replace(
        task,
        id=renames.get(task.id, task.id),
        depends_on=_new_ids(task.depends_on, renames),
        structured_inputs=tuple(_new_source(item, renames) for item in task.structured_inputs),
    )


def _new_ids(ids: tuple[TaskId, ...], renames: Mapping[TaskId, TaskId]) -> tuple[TaskId, ...]:
    return tuple(sorted(renames.get(task, task) for task in ids))


def _new_source(item: StructuredInput, renames: Mapping[TaskId, TaskId]) -> StructuredInput:
    if not isinstance(item, OutputsOfInput):
        return item
    source = TaskId(item.outputs_of)
    return OutputsOfInput(outputs_of=renames.get(source, source))
