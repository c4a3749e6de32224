"""What differs between two pipelines, as data: changes, and what they mean for keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Aspect = Literal[
    "permission",
    "secret",
    "job",
    "trigger",
    "task",
    "edge",
    "input",
    "output",
    "env",
    "step",
    "cache",
    "other",
]
"""What a change is about. What a reviewer has to see first comes first."""

ASPECTS: tuple[Aspect, ...] = get_args(Aspect)

Action = Literal["added", "removed", "renamed", "changed"]

Place = tuple[str, ...]
"""Where a value is in the normalized pipeline: `("tasks", "build", "env", "MODE")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. `before` and `after` are values as in the IR, None where there was none.

    Members of a list are added to and removed from the place of the list. A secret is added where a
    value becomes one. Both values of a renamed task are its ids; `place` has the new one.
    """

    aspect: Aspect
    action: Action
    place: Place
    before: Any | None = None
    after: Any | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What the changes do to the part of a task's key that its definition gives.

    `changed` names the components that cannot be the same any more; `possible` those that may be:
    that depends on files, on the host or on what a dependency makes. Neither: the key is unchanged.
    """

    task: str
    changed: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Every change, by aspect and place, and each task that both pipelines have and that changed.

    `renamed` gives the new id of a task by its old one. `keys` is in the order of the new ids, and
    also has tasks whose definition is the same, if what they share with others changes their key.
    """

    changes: tuple[Change, ...]
    renamed: Mapping[str, str]
    keys: tuple[KeyChange, ...]
