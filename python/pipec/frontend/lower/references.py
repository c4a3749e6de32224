"""What a reference to a task means."""

from collections.abc import Iterable, Sequence

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.lower.tree import Placed
from pipec.frontend.suggest import did_you_mean
from pipec.ir.task import TaskId

_MOST_SUGGESTIONS = 50
"""How many unknown references get a suggestion: each is compared with the names of all tasks."""


class References:
    """The tasks of a pipeline by the names that refer to them."""

    def __init__(self, placed: Iterable[Placed], *, has_members: bool) -> None:
        """With `has_members`, references into members and sources are left to their loader."""
        self._has_members = has_members
        self._suggestions = 0
        self._tasks: dict[str, tuple[TaskId, ...]] = {}
        for task in placed:
            ids = tuple(task_id for task_id, _ in task.variants)
            self._tasks[task.name] = ids
            self._tasks.update((task_id, (task_id,)) for task_id in ids)

    def resolve(
        self, written: str, route: Route, findings: list[Finding], *, group: str = ""
    ) -> tuple[TaskId, ...]:
        """The tasks that a reference means: one, or all combinations; none with a finding."""
        if written.startswith("^") or ":" in written:
            if not self._has_members:
                findings.append(_foreign(written, route))
            return ()
        inside = f"{group}.{written}" if group else written
        if group and inside in self._tasks and written in self._tasks and inside != written:
            findings.append(_ambiguous(written, inside, route))
            return ()
        found = self._tasks.get(inside) or self._tasks.get(written)
        if found is None:
            findings.append(self._unknown(written, route, group))
            return ()
        return found

    def _unknown(self, written: str, route: Route, group: str) -> Finding:
        message = f"there is no task `{written}`"
        self._suggestions += 1
        if self._suggestions > _MOST_SUGGESTIONS:
            return Finding(Code.UNKNOWN_TASK, message, (Label(route),))
        prefix = f"{group}."
        near = [name.removeprefix(prefix) for name in self._tasks if name.startswith(prefix)]
        names: Sequence[str] = [*(near if group else ()), *self._tasks]
        return Finding(Code.UNKNOWN_TASK, message, (Label(route),), did_you_mean(written, names))


def _foreign(written: str, route: Route) -> Finding:
    if written.startswith(("^", "*:")):
        message = f"`{written}` refers to members of a workspace, and this pipeline has none"
    else:
        owner = written.partition(":")[0]
        message = f"`{written}` refers to `{owner}`, which is neither a source nor a member"
    return Finding(Code.UNKNOWN_TASK, message, (Label(route),))


def _ambiguous(written: str, inside: str, route: Route) -> Finding:
    message = f"`{written}` can be the task `{inside}` of this group, or the task `{written}`"
    advice = f"write `{inside}` for the one, or rename the other"
    return Finding(Code.AMBIGUOUS_TASK, message, (Label(route),), (advice,))
