"""Rules on circles: tasks, jobs and stores that wait for themselves."""

from collections.abc import Iterator, Sequence

from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.frontend.check.checked import Checked
from pipec.frontend.cycles import find_cycles

_LONGEST_SHOWN = 12


def dependency_cycles(checked: Checked) -> Iterator[Finding]:
    """A task waits for itself."""
    edges = {task_id: task.depends_on for task_id, task in checked.pipeline.tasks.items()}
    for cycle in find_cycles(edges):
        first, following = cycle[0], cycle[1 % len(cycle)]
        label = Label(checked.origins[first].of_need(following))
        message = f"tasks depend on each other in a circle: {_path(cycle)}"
        if len(cycle) == 1:
            message = f"the task `{first}` depends on itself"
        yield Finding(Code.DEPENDENCY_CYCLE, message, (label,))


def job_cycles(checked: Checked) -> Iterator[Finding]:
    """A job needs itself."""
    edges = {job_id: job.needs for job_id, job in checked.pipeline.jobs.items()}
    for cycle in find_cycles(edges):
        index = checked.spec.jobs[cycle[0]].needs.index(cycle[1 % len(cycle)])
        label = Label(("jobs", cycle[0], "needs", index))
        message = f"jobs need each other in a circle: {_path(cycle)}"
        yield Finding(Code.DEPENDENCY_CYCLE, message, (label,))


def store_cycles(checked: Checked) -> Iterator[Finding]:
    """A layered store contains itself."""
    edges = {
        name: store.get("layered", {}).get("stores", ())
        for name, store in checked.pipeline.cache.stores.items()
    }
    for cycle in find_cycles(edges):
        index = edges[cycle[0]].index(cycle[1 % len(cycle)])
        label = Label(("cache", "stores", cycle[0], "layered", index))
        message = f"layered stores contain each other in a circle: {_path(cycle)}"
        yield Finding(Code.DEPENDENCY_CYCLE, message, (label,))


def _path(cycle: Sequence[str]) -> str:
    """The cycle as a path back to its beginning; of a very long one both ends."""
    names = [f"`{name}`" for name in (*cycle, cycle[0])]
    if len(names) > _LONGEST_SHOWN:
        left_out = len(names) - _LONGEST_SHOWN
        half = _LONGEST_SHOWN // 2
        names = [*names[:half], f"({left_out:,} more)", *names[-half:]]
    return " → ".join(names)
