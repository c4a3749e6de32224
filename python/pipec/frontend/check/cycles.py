"""Rules on circles: tasks, jobs and stores that wait for themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.check.checked import Checked
from pipec.frontend.cycles import find_cycles
from pipec.ir.job import JobId

_LONGEST_SHOWN = 12
_MOST_LABELS = 4

Name = TypeVar("Name", bound=str)


def dependency_cycles(checked: Checked) -> Iterator[Finding]:
    """A task waits for itself."""
    edges = {task_id: task.depends_on for task_id, task in checked.pipeline.tasks.items()}
    for cycle in find_cycles(edges):
        first = cycle[0]
        labels = _labels(
            cycle, lambda task, need: checked.origins[task].of_need(need), "and `{}` needs `{}`"
        )
        message = f"tasks depend on each other in a circle: {_path(cycle)}"
        if len(cycle) == 1:
            message = f"the task `{first}` depends on itself"
        yield Finding(Code.DEPENDENCY_CYCLE, message, labels)


def job_cycles(checked: Checked) -> Iterator[Finding]:
    """A job needs itself."""
    edges = {job_id: job.needs for job_id, job in checked.pipeline.jobs.items()}
    for cycle in find_cycles(edges):
        labels = _labels(cycle, _of_job(checked), "and `{}` needs `{}`")
        message = f"jobs need each other in a circle: {_path(cycle)}"
        yield Finding(Code.DEPENDENCY_CYCLE, message, labels)


def _of_job(checked: Checked) -> Callable[[JobId, JobId], Route]:
    """Where a job names another one."""
    jobs = checked.spec.jobs
    return lambda job, need: ("jobs", job, "needs", jobs[job].needs.index(need))


def store_cycles(checked: Checked) -> Iterator[Finding]:
    """A layered store contains itself."""
    edges = {
        name: store.get("layered", {}).get("stores", ())
        for name, store in checked.pipeline.cache.stores.items()
    }
    for cycle in find_cycles(edges):
        labels = _labels(cycle, _of_store(edges), "and `{}` contains `{}`")
        message = f"layered stores contain each other in a circle: {_path(cycle)}"
        yield Finding(Code.DEPENDENCY_CYCLE, message, labels)


def _of_store(edges: Mapping[str, Sequence[str]]) -> Callable[[str, str], Route]:
    """Where a store names another one."""
    return lambda store, layer: ("cache", "stores", store, "layered", edges[store].index(layer))


def _labels(
    cycle: Sequence[Name], route_of: Callable[[Name, Name], Route], words: str
) -> tuple[Label, ...]:
    """Every place at which the circle goes on, the first one first; of a long one some."""
    steps = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))[:_MOST_LABELS]
    return tuple(
        Label(route_of(one, next_one), words.format(one, next_one) if index else "")
        for index, (one, next_one) in enumerate(steps)
    )


def _path(cycle: Sequence[str]) -> str:
    """The cycle as a path back to its beginning; of a very long one both ends."""
    names = [f"`{name}`" for name in (*cycle, cycle[0])]
    if len(names) > _LONGEST_SHOWN:
        left_out = len(names) - _LONGEST_SHOWN
        half = _LONGEST_SHOWN // 2
        names = [*names[:half], f"({left_out:,} more)", *names[-half:]]
    return " → ".join(names)
