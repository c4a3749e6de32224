"""What a reference to a task means."""

from collections.abc import Collection, Container, Iterable, Sequence

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.lower.tree import Placed
from pipec.frontend.suggest import did_you_mean, nearest
from pipec.ir.task import TaskId

_MOST_SUGGESTIONS = 50
"""How many unknown references get a suggestion: each is compared with the names of all tasks."""


class References:
    """The tasks of a pipeline by the names that refer to them."""

    def __init__(
        self, placed: Iterable[Placed], *, sources: Collection[str], has_members: bool
    ) -> None:
        """Of members only whether there are any is known: a folder tells what they are called."""
        self._sources = sources
        self._has_members = has_members
        self._suggestions = 0
        self._tasks: dict[str, tuple[TaskId, ...]] = {}
        self._routes: dict[str, Route] = {}
        for task in placed:
            ids = tuple(task_id for task_id, _ in task.variants)
            self._tasks[task.name] = ids
            self._routes[task.name] = task.route
            self._tasks.update((task_id, (task_id,)) for task_id in ids)

    @property
    def meanings(self) -> object:
        """What decides the meaning of every reference: where it is equal, all mean the same."""
        return self._tasks, frozenset(self._sources), self._has_members

    def resolve(
        self,
        written: str,
        route: Route,
        findings: list[Finding],
        *,
        foreign: list[str],
        group: str = "",
    ) -> tuple[TaskId, ...]:
        """The tasks that a reference means: one, or all combinations; none with a finding.

        A reference into a member or a source is added to `foreign`: it means nothing here yet.
        """
        if is_foreign(written):
            finding = self._foreign_finding(written, route)
            if finding is None:
                foreign.append(written)
            else:
                findings.append(finding)
            return ()
        meant = meanings(written, group, self._tasks)
        if len(meant) > 1:
            findings.append(self._ambiguous(written, meant[0], route))
            return ()
        if not meant:
            findings.append(self._unknown(written, route, group))
            return ()
        return self._tasks[meant[0]]

    def _ambiguous(self, written: str, inside: str, route: Route) -> Finding:
        message = f"`{written}` can be the task `{inside}` of this group, or the task `{written}`"
        advice = f"write `{inside}` for the one, or rename the other"
        defined = (
            Label(self._routes[name], f"`{name}` is defined here", at="key")
            for name in (inside, written)
            if name in self._routes
        )
        return Finding(Code.AMBIGUOUS_TASK, message, (Label(route), *defined), (advice,))

    def _unknown(self, written: str, route: Route, group: str) -> Finding:
        message = f"there is no task `{written}`"
        self._suggestions += 1
        if self._suggestions > _MOST_SUGGESTIONS:
            return Finding(Code.UNKNOWN_TASK, message, (Label(route),))
        prefix = f"{group}."
        near = [name.removeprefix(prefix) for name in self._tasks if name.startswith(prefix)]
        names: Sequence[str] = [*(near if group else ()), *self._tasks]
        return Finding(
            Code.UNKNOWN_TASK,
            message,
            (Label(route),),
            did_you_mean(written, names),
            replacement=nearest(written, names),
        )

    def _foreign_finding(self, written: str, route: Route) -> Finding | None:
        """Why a reference into a member or a source cannot mean anything."""
        owner, name = split_foreign(written)
        advice: tuple[str, ...] = ()
        if not owner or not name:
            message = f"`{written}` is not a reference to a task"
            advice = ("write `member:task`, `source:task`, `*:task` or `^task`",)
        elif owner == "^":
            message = f"`{written}` means tasks of the members that a member depends on"
            if self._has_members:
                message += ", and this task is none of a member"
                advice = (f"write `*:{name}` for that of every member",)
            else:
                message += ", and this pipeline has no `workspace`"
        elif owner == "*":
            if self._has_members:
                return None
            message = f"`{written}` refers to members of a workspace, and this pipeline has none"
        elif owner in self._sources or self._has_members:
            return None
        else:
            message = f"`{written}` refers to `{owner}`, which is neither a source nor a member"
            advice = did_you_mean(owner, self._sources)
        return Finding(Code.UNKNOWN_TASK, message, (Label(route),), advice)


class MemberReferences(References):
    """The references of the tasks that every member gets: a member tells what they mean."""

    def __init__(self) -> None:
        super().__init__((), sources=(), has_members=True)

    def resolve(
        self,
        written: str,
        route: Route,
        findings: list[Finding],
        *,
        foreign: list[str],
        group: str = "",
    ) -> tuple[TaskId, ...]:
        """None: what is not plainly wrong is added to `foreign`."""
        owner, name = split_foreign(written)
        if is_foreign(written) and not (owner and name):
            return super().resolve(written, route, findings, foreign=foreign, group=group)
        foreign.append(written)
        return ()


def meanings(written: str, group: str, known: Container[str]) -> Sequence[str]:
    """The known ids that a reference can mean: that in the group where it stands comes first."""
    inside = f"{group}.{written}" if group else written
    return [name for name in dict.fromkeys((inside, written)) if name in known]


def is_foreign(written: str) -> bool:
    """Whether a reference leads into a member or a source, and not to a task of the file.

    The values of a matrix may hold a colon: they stand in brackets.
    """
    return written.startswith("^") or ":" in written.partition("[")[0]


def split_foreign(written: str) -> tuple[str, str]:
    """The member or source of such a reference, `^` and `*` included, and the task in it."""
    if written.startswith("^"):
        return "^", written[1:]
    name, bracket, values = written.partition("[")
    owner, _, task = name.rpartition(":")
    return owner, f"{task}{bracket}{values}" if task else ""
