"""Legal ids for the tasks of an import: no two the same, none that a reference could mistake."""

import re
from collections.abc import Iterable, Mapping, Sequence

from pipec.importers.target import Key, TargetTask
from pipec.spec.task import TASK_KEYS

Segments = tuple[str, ...]

_FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")
_OWN_ID = frozenset({"default", "index"})


def legal(name: str) -> str:
    """The nearest legal id to a name: `@acme/web` is `acme-web`, `2fa` is `_2fa`."""
    segment = _FOREIGN.sub("-", name).strip("-") or "_"
    return segment if re.match(r"[A-Za-z_]", segment) else f"_{segment}"


def distinct(wanted: str, taken: Iterable[str]) -> str:
    """The id itself, or the first of `id-2`, `id-3`, … that is not taken."""
    names = frozenset(taken)
    candidate, count = wanted, 1
    while candidate in names:
        count += 1
        candidate = f"{wanted}-{count}"
    return candidate


def give_ids(tasks: Mapping[Key, TargetTask]) -> dict[Key, Segments]:
    """The path of each task in the tree of groups; joined by dots it is the task's id."""
    wanted = {key: _wanted(task.path) for key, task in tasks.items()}
    flat: set[Key] = set()
    while True:
        placed = _place(wanted, flat)
        shadows = {
            key
            for key in _shadows(tasks, placed)
            # One that is flat already cannot stand in anybody's way.
            if key not in flat
        }
        if not shadows:
            return placed
        flat |= shadows


def _wanted(path: Sequence[str]) -> Segments:
    segments = [legal(name) for name in path if name.strip()] or ["_"]
    # In a group these keys would make a task of it, or take its own id.
    inner = (f"{s}-task" if s in TASK_KEYS or s in _OWN_ID else s for s in segments[1:])
    return (segments[0], *inner)


def _place(wanted: Mapping[Key, Segments], flat: set[Key]) -> dict[Key, Segments]:
    placed: dict[Key, Segments] = {}
    taken: set[str] = set()
    for key, segments in wanted.items():
        path = ("-".join(segments),) if key in flat else segments
        name = distinct(".".join(path), taken)
        taken.add(name)
        placed[key] = tuple(name.split("."))
    return placed


def _shadows(tasks: Mapping[Key, TargetTask], placed: Mapping[Key, Segments]) -> set[Key]:
    """Tasks of a group that a reference from that group would find instead of, or beside, its own.

    `report` from a task of the group `claims` could be `claims.report` as well.
    """
    by_id = {".".join(segments): key for key, segments in placed.items()}
    groups = {segments[:length] for segments in placed.values() for length in range(len(segments))}
    shadows: set[Key] = set()
    for key, task in tasks.items():
        segments = placed[key]
        # A task with the name of a group stands in it, as its `default`.
        group = ".".join(segments if segments in groups else segments[:-1])
        if not group:
            continue
        for need in task.needs:
            if need in placed:
                inside = by_id.get(f"{group}.{'.'.join(placed[need])}")
                if inside is not None:
                    shadows.add(inside)
    return shadows
