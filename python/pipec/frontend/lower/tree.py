"""The tree of tasks and groups as a list of tasks: ids, defaults and matrix applied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.lower.matrix import combinations
from pipec.ir.task import TaskId
from pipec.spec.base import kebab
from pipec.spec.task import TaskGroup, TaskSpec

OWN_ID = ("default", "index")
"""Children of a group that take the group's own id."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A task as written, with what its place in the file gives it.

    `name` is its id without a combination, `group` the id of the group around it, `inherited` the
    routes of the fields that `task-defaults` gave it, `variants` its ids and their combinations.
    """

    name: str
    group: str
    route: Route
    spec: TaskSpec
    inherited: Mapping[str, Route]
    variants: tuple[tuple[TaskId, Mapping[str, str]], ...]


def place_tasks(
    nodes: Mapping[str, Any],
    defaults: Mapping[str, TaskSpec],
    at: Route,
    findings: list[Finding],
) -> list[Placed]:
    """All tasks of the table at this route; of two with one id the first."""
    placed: dict[str, Placed] = {}
    for name, group, route, written in _walk(nodes, (), at):
        if name in placed:
            findings.append(_duplicate(name, placed[name].route, route))
            continue
        task, inherited = _with_defaults(name, written, defaults)
        variants: tuple[tuple[TaskId, Mapping[str, str]], ...] = ((TaskId(name), {}),)
        if task.matrix is not None:
            matrix = inherited.get("matrix", (*route, "matrix"))
            variants = combinations(name, task.matrix, matrix, findings)
        placed[name] = Placed(name, group, route, task, inherited, variants)
    return list(placed.values())


def _walk(
    nodes: Mapping[str, Any], path: tuple[str, ...], route: Route
) -> Iterator[tuple[str, str, Route, TaskSpec]]:
    """Name, group, route and table of each task. As deep as the document, which has its limit."""
    for key, node in nodes.items():
        if isinstance(node, TaskGroup):
            yield from _walk(node.root, (*path, key), (*route, key))
        else:
            parts = path if path and key in OWN_ID else (*path, key)
            yield ".".join(parts), ".".join(path), (*route, key), node


def _with_defaults(
    name: str, task: TaskSpec, defaults: Mapping[str, TaskSpec]
) -> tuple[TaskSpec, Mapping[str, Route]]:
    """The task over its defaults, and the routes of the fields that came from there."""
    values: dict[str, Any] = {}
    routes: dict[str, Route] = {}
    for key in dict.fromkeys(("*", name.rpartition(".")[2], name)):
        if key in defaults:
            layer = defaults[key]
            for field in layer.model_fields_set:
                _forget_other_spelling(field, values)
                values[field] = getattr(layer, field)
                routes[field] = ("task-defaults", key, kebab(field))
    if not values:
        return task, {}
    for field in task.model_fields_set:
        _forget_other_spelling(field, values)
        values.pop(field, None)
    inherited = {kebab(field): routes[field] for field in values}
    return task.model_copy(update=values), inherited


def _forget_other_spelling(field: str, values: dict[str, Any]) -> None:
    if field in {"run", "steps"}:
        values.pop("run", None)
        values.pop("steps", None)


def _duplicate(name: str, first: Route, second: Route) -> Finding:
    message = f"two tasks have the id `{name}`"
    if first[-1] in OWN_ID and second[-1] in OWN_ID:
        message += f": `{first[-1]}` and `{second[-1]}` both stand for their group"
    return Finding(
        Code.DUPLICATE_TASK,
        message,
        (
            Label(second, "the second", at="key"),
            Label(first, "the first", at="key"),
        ),
    )
