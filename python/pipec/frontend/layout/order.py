"""The order of keys: that of the language where it has one, the author's where it has none."""

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any

from pipec.diagnostics import Route
from pipec.spec.job import JobSpec
from pipec.spec.later import AgentSpec, ProfileSpec, SourceSpec, WorkspaceSpec
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.task import TaskSpec, task_or_group


class Table(Enum):
    """What a table is, as far as the order of its keys goes."""

    PIPELINE = auto()
    TASK_GROUP = auto()
    TASK_DEFAULTS = auto()
    JOBS = auto()
    TASK = auto()
    JOB = auto()
    WORKSPACE = auto()
    SOURCES = auto()
    SOURCE = auto()
    PROFILES = auto()
    PROFILE = auto()
    AGENTS = auto()
    AGENT = auto()
    # Any other: its author knows best.
    OTHER = auto()


_ORDERS: Mapping[Table, Mapping[str, int]] = {
    table: {key: position for position, key in enumerate(keys)}
    for table, keys in {
        Table.PIPELINE: PipelineSpec.keys(),
        Table.TASK: TaskSpec.keys(),
        Table.JOB: JobSpec.keys(),
        Table.WORKSPACE: WorkspaceSpec.keys(),
        Table.SOURCE: SourceSpec.keys(),
        Table.PROFILE: ProfileSpec.keys(),
        Table.AGENT: AgentSpec.keys(),
    }.items()
}
_SECTIONS = {
    "tasks": Table.TASK_GROUP,
    "task-defaults": Table.TASK_DEFAULTS,
    "jobs": Table.JOBS,
    "workspace": Table.WORKSPACE,
    "sources": Table.SOURCES,
    "execution": Table.PROFILES,
    "agents": Table.AGENTS,
}
_MEMBERS = {
    Table.TASK_DEFAULTS: Table.TASK,
    Table.JOBS: Table.JOB,
    Table.SOURCES: Table.SOURCE,
    Table.PROFILES: Table.PROFILE,
    Table.AGENTS: Table.AGENT,
}
"""What the members of a table with names of the author's own are."""


def rank(table: Table, key: str) -> int:
    """The place of a key in such a table; keys without one are equal and come last."""
    order = _ORDERS.get(table, {})
    return order.get(key, len(order))


def table_at(table: Table, key: str, value: Any) -> Table:
    """What the member `key` of such a table is; `value` is what is in it."""
    if table is Table.PIPELINE:
        return _SECTIONS.get(key, Table.OTHER)
    if table is Table.TASK_GROUP:
        return Table.TASK if task_or_group(value) == "task" else Table.TASK_GROUP
    if table is Table.WORKSPACE:
        return Table.TASK_GROUP if key == "tasks" else Table.OTHER
    return _MEMBERS.get(table, Table.OTHER)


def misplaced_keys(values: Mapping[str, Any]) -> Iterator[tuple[Route, str]]:
    """Each key that should stand before one above it, and that one."""
    pending: list[tuple[Route, Table, Any]] = [((), Table.PIPELINE, values)]
    while pending:
        route, table, value = pending.pop(0)
        if not isinstance(value, Mapping):
            continue
        furthest: str | None = None
        for key, member in value.items():
            if furthest is not None and rank(table, key) < rank(table, furthest):
                yield (*route, key), furthest
            else:
                furthest = key
            pending.append(((*route, key), table_at(table, key, member), member))
