"""A workspace: the members of a monorepo, and the tasks that each of them gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipec.ir.inputs import Rule
from pipec.ir.task import Task, TaskId

Graph = Literal["none", "package.json", "cargo", "pyproject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Members are the folders that the rules select; `graph` is where their edges are read.

    The references of `tasks` mean something only in a member: all of them are in `foreign_needs`.
    """

    members: tuple[Rule, ...] = ()
    graph: Graph = "none"
    tasks: Mapping[TaskId, Task] = field(default_factory=dict)
