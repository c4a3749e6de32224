"""`--filter`: which of the tasks that a request could run it does run.

A filter is `[!][...[^]]NAME[[^]...]`. `NAME` is the id of a task, a group, the base name of a task
with a matrix, or a pattern in which `*` and `?` stand for characters. `NAME...` adds what the task
depends on, `...NAME` what depends on it; with `^` the task itself is left out. `!` takes away.
Names that begin with `./`, `/`, `{` or `[` are kept for folders and revisions of a workspace.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate

from pipec.codes import Code
from pipec.errors import PlanError
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import TaskId

_AROUND = "..."
_RESERVED = {
    "./": "a folder",
    "../": "a folder",
    "/": "a folder",
    "{": "a folder",
    "[": "what changed since a revision",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter, read. `is_named`: the tasks of the name themselves are meant as well."""

    text: str
    name: str
    is_excluding: bool = False
    with_dependents: bool = False
    with_dependencies: bool = False
    is_named: bool = True


def filtered(
    pipeline: Pipeline, candidates: Iterable[TaskId], filters: Sequence[str]
) -> tuple[TaskId, ...]:
    """Those of the candidates that the filters select, sorted; never none.

    Filters that take away come after the others; alone they take away from all candidates.

    Raises:
        PlanError: a filter cannot be read, names nothing, or nothing is left.
    """
    among = set(candidates)
    read = [_read(text) for text in filters]
    including = [one for one in read if not one.is_excluding]
    selected = set[TaskId]() if including else set(among)
    for one in including:
        selected |= _selected(pipeline, one) & among
    for one in read:
        if one.is_excluding:
            selected -= _selected(pipeline, one)
    if not selected:
        shown = " ".join(f"`--filter {text}`" for text in filters)
        raise PlanError(
            Code.UNKNOWN_TARGET,
            f"nothing is left to run with {shown}",
            help=("`--dry` without the filter shows what there is to choose from",),
        )
    return tuple(sorted(selected))


def _read(text: str) -> Filter:
    name = text.removeprefix("!")
    is_excluding = name != text
    with_dependents = name.startswith(_AROUND)
    name = name.removeprefix(_AROUND)
    with_dependencies = name.endswith(_AROUND)
    name = name.removesuffix(_AROUND)
    is_named = True
    if with_dependents and name.startswith("^"):
        name, is_named = name.removeprefix("^"), False
    if with_dependencies and name.endswith("^"):
        name, is_named = name.removesuffix("^"), False
    for beginning, what in _RESERVED.items():
        if name.startswith(beginning):
            message = f"the filter `{text}` selects members of a workspace by {what}"
            raise PlanError(
                Code.NOT_SUPPORTED, f"{message}, which this version of pipec cannot do yet"
            )
    if not name or "^" in name or _AROUND in name:
        raise PlanError(
            Code.USAGE,
            f"`{text}` is no filter",
            help=(
                "write a name, `name...` with what it depends on, `...name` with its dependents",
            ),
        )
    return Filter(
        text=text,
        name=name,
        is_excluding=is_excluding,
        with_dependents=with_dependents,
        with_dependencies=with_dependencies,
        is_named=is_named,
    )


def _selected(pipeline: Pipeline, one: Filter) -> set[TaskId]:
    named = _named(pipeline, one)
    found = set(named) if one.is_named else set[TaskId]()
    if one.with_dependencies:
        found |= _closure(named, lambda task: pipeline.tasks[task].depends_on)
    if one.with_dependents:
        dependents: dict[TaskId, list[TaskId]] = {}
        for task in pipeline.tasks.values():
            for need in task.depends_on:
                dependents.setdefault(need, []).append(task.id)
        found |= _closure(named, lambda task: dependents.get(task, ()))
    return found


def _closure(start: Iterable[TaskId], around: Callable[[TaskId], Iterable[TaskId]]) -> set[TaskId]:
    """Everything that is around these tasks, directly or not, without them."""
    found: set[TaskId] = set()
    waiting = list(start)
    while waiting:
        for task in around(waiting.pop()):
            if task not in found:
                found.add(task)
                waiting.append(task)
    return found.difference(start)


def _named(pipeline: Pipeline, one: Filter) -> set[TaskId]:
    if any(character in one.name for character in "*?"):
        # Ids of tasks with a matrix hold brackets: here they mean themselves.
        pattern = re.compile(translate(one.name.replace("[", "[[]")))
        found = {task for task in pipeline.tasks if pattern.match(task)}
    else:
        group = f"{one.name}."
        found = {
            task
            for task in pipeline.tasks
            if task == one.name or task.startswith(group) or task.partition("[")[0] == one.name
        }
    if found:
        return found
    # Only mistakes come here: a plan that is right does not pay for the search.
    from pipec.frontend.suggest import did_you_mean

    names: Collection[str] = {
        name
        for task in pipeline.tasks
        for name in (task, task.partition("[")[0], task.rpartition(".")[0])
        if name
    }
    raise PlanError(
        Code.UNKNOWN_TARGET,
        f"the filter `{one.text}` names no task of this pipeline",
        help=did_you_mean(one.name, sorted(names)) or ("`pipec list` shows every task",),
    )
