"""Who needs which service: plain functions of the pipeline.

A group stands for what it groups: a service in a group serves whoever depends on the group, and is
asked for where the group is. A service that needs another one needs it as long as it runs itself.
"""

from collections.abc import Iterable

from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId


def asked_services(pipeline: Pipeline, targets: Iterable[TaskId]) -> frozenset[TaskId]:
    """The services that are wanted for themselves: they stay until the run is interrupted."""
    return frozenset(_services_among(pipeline, targets))


def services_of(pipeline: Pipeline, task: Task) -> tuple[TaskId, ...]:
    """The services that have to be up while the task runs, in the order of their names."""
    return tuple(sorted(_services_among(pipeline, task.depends_on))) if task.steps else ()


def with_services(pipeline: Pipeline, tasks: Iterable[TaskId]) -> set[TaskId]:
    """These tasks, with the services that they and their services need."""
    found = set(tasks)
    pending = list(found)
    while pending:
        new = set(services_of(pipeline, pipeline.tasks[pending.pop()])) - found
        found |= new
        pending.extend(new)
    return found


def _services_among(pipeline: Pipeline, tasks: Iterable[TaskId]) -> set[TaskId]:
    found: set[TaskId] = set()
    seen: set[TaskId] = set()
    pending = list(tasks)
    while pending:
        task = pipeline.tasks[pending.pop()]
        if task.id in seen:
            continue
        seen.add(task.id)
        if task.service is not None:
            found.add(task.id)
        elif not task.steps:
            pending.extend(task.depends_on)
    return found
