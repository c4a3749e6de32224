"""Compares two pipelines in meaning: how a file is written, and in which order, does not count."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from pipec.ir.codec import plain
from pipec.ir.pipeline import Pipeline
from pipec.plan.change import ASPECTS, Action, Aspect, Change, Difference, Place
from pipec.plan.key_changes import key_changes
from pipec.plan.renames import find_renames, with_new_ids

_ENTITIES = frozenset({"tasks", "jobs", "triggers"})
_MAPPINGS = frozenset(
    {
        *("env", "params", "permissions", "stores", "matrix", "pools", "named-inputs"),
        *("sources", "sandboxes", "execution", "agents", "orchestration"),
    }
)
"""Fields with names of the author: each value is compared as a whole, or, a list, by members."""
_TABLES = frozenset(
    {"github", "retry", "requires", "cache", "commands", "workspace", "sync", "install"}
)
_OPTIONAL = frozenset({("tasks", "cache"), ("triggers", "github"), ("sync", "github")})
"""Tables of which it matters whether they are there at all, be they empty."""

_ASPECT_OF_FIELD: Mapping[tuple[str, str], Aspect] = {
    ("jobs", "environment"): "permission",
    ("jobs", "provenance"): "permission",
    ("jobs", "triggers"): "trigger",
    ("jobs", "env"): "env",
    ("tasks", "depends-on"): "edge",
    ("tasks", "foreign-needs"): "edge",
    ("tasks", "inputs"): "input",
    ("tasks", "structured-inputs"): "input",
    ("tasks", "inputs-gitignore"): "input",
    ("tasks", "outputs"): "output",
    ("tasks", "env"): "env",
    ("tasks", "env-inputs"): "env",
    ("tasks", "env-mode"): "env",
    ("tasks", "steps"): "step",
    ("tasks", "shell"): "step",
    ("tasks", "cwd"): "step",
    ("tasks", "cache"): "cache",
}
_ASPECT_OF_SECTION: Mapping[str, Aspect] = {
    "jobs": "job",
    "triggers": "trigger",
    "named-inputs": "input",
    "env": "env",
    "env-files": "env",
    "cache": "cache",
    # What commands may do, and where.
    "commands": "permission",
    "sandboxes": "permission",
    "execution": "permission",
}


def diff(before: Pipeline, after: Pipeline) -> Difference:
    """Everything that is different, and nothing if the two have the same canonical form."""
    renames = find_renames(before, after)
    moved = with_new_ids(before, renames)
    changes = [
        Change(aspect="task", action="renamed", place=("tasks", new), before=old, after=new)
        for old, new in renames.items()
    ]
    changes += _fields(plain(moved), plain(after), ())
    changes.sort(key=lambda change: (ASPECTS.index(change.aspect), change.place))
    return Difference(
        changes=tuple(changes),
        renamed={str(old): str(new) for old, new in renames.items()},
        keys=tuple(key_changes(moved, after, changes)),
    )


def _fields(before: Mapping[str, Any], after: Mapping[str, Any], place: Place) -> Iterator[Change]:
    """The differences of two tables with fields of the IR."""
    for name in sorted({*before, *after}):
        old, new, at = before.get(name), after.get(name), (*place, name)
        if old == new and (name in before) == (name in after):
            continue
        is_table = isinstance(old, Mapping) or isinstance(new, Mapping)
        if name in _ENTITIES and (not place or place == ("workspace",)):
            yield from _entities(old or {}, new or {}, at)
        elif is_table and name in _MAPPINGS:
            yield from _members(old or {}, new or {}, at)
        elif is_table and name in _TABLES and not _appears(old, new, at):
            yield from _fields(old or {}, new or {}, at)
        elif place[2:] == () and place[:1] == ("tasks",) and name == "steps":
            yield from _steps(old or (), new or (), at)
        elif isinstance(old, list) or isinstance(new, list):
            yield from _lists(old or (), new or (), at)
        else:
            yield _change(at, old, new)


def _appears(old: object, new: object, place: Place) -> bool:
    return (old is None or new is None) and (place[0], place[-1]) in _OPTIONAL


def _entities(
    before: Mapping[str, Any], after: Mapping[str, Any], place: Place
) -> Iterator[Change]:
    """Tasks, jobs or triggers. Of a whole one, what it is trusted with is told beside it."""
    for name in sorted({*before, *after}):
        old, new, at = before.get(name), after.get(name), (*place, name)
        if old is not None and new is not None:
            yield from _fields(old, new, at)
            continue
        yield _change(at, old, new)
        for change in _fields(old or {}, new or {}, at):
            if change.aspect in {"permission", "secret"}:
                yield change


def _members(before: Mapping[str, Any], after: Mapping[str, Any], place: Place) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, list) and isinstance(new, list):
            yield from _lists(old, new, (*place, name))
        else:
            yield _change((*place, name), old, new)


def _lists(before: Sequence[Any], after: Sequence[Any], place: Place) -> Iterator[Change]:
    """The members that only one of the lists has; if the others stand in another order, both."""
    texts = [_text(item) for item in before], [_text(item) for item in after]
    gone, new = Counter(texts[0]), Counter(texts[1])
    common = gone & new
    for text in (gone - common).elements():
        yield _change(place, json.loads(text), None)
    for text in (new - common).elements():
        yield _change(place, None, json.loads(text))
    if _kept(texts[0], common) != _kept(texts[1], common):
        yield _change(place, list(before), list(after))


def _kept(texts: Sequence[str], common: Mapping[str, int]) -> list[str]:
    left = dict(common)
    kept = []
    for text in texts:
        if left.get(text, 0):
            left[text] -= 1
            kept.append(text)
    return kept


def _steps(before: Sequence[Any], after: Sequence[Any], place: Place) -> Iterator[Change]:
    """Steps have no names: those between equal ones are taken for each other, in their order.

    The number of a step is that among the new ones, of one that is gone that among the old ones.
    """
    matcher = SequenceMatcher(
        None, [_text(step) for step in before], [_text(step) for step in after], autojunk=False
    )
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        common = min(end - start, new_end - new_start)
        for offset in range(common):
            at = (*place, str(new_start + offset))
            yield from _fields(before[start + offset], after[new_start + offset], at)
        for index in range(start + common, end):
            yield from _whole_step(before[index], None, (*place, str(index)))
        for index in range(new_start + common, new_end):
            yield from _whole_step(None, after[index], (*place, str(index)))


def _whole_step(old: Any, new: Any, place: Place) -> Iterator[Change]:
    yield _change(place, old, new)
    for change in _members((old or {}).get("env", {}), (new or {}).get("env", {}), (*place, "env")):
        if change.aspect == "secret":
            yield change


def _change(place: Place, before: Any, after: Any) -> Change:
    was, becomes = _is_secret(place, before), _is_secret(place, after)
    action: Action = "changed"
    if was or becomes:
        action = "changed" if was and becomes else "added" if becomes else "removed"
        return Change(aspect="secret", action=action, place=place, before=before, after=after)
    if before is None:
        action = "added"
    elif after is None:
        action = "removed"
    return Change(aspect=_aspect(place), action=action, place=place, before=before, after=after)


def _is_secret(place: Place, value: Any) -> bool:
    if value is None:
        return False
    if place[:1] == ("tasks",) and place[2:] == ("requires", "secrets"):
        return True
    return _is_variable(place) and isinstance(value, Mapping) and "secret" in value


def _is_variable(place: Place) -> bool:
    """Whether this is a value of the environment of the pipeline, of a job, task or step."""
    *around, _ = place
    return (
        around == ["env"] or around[2:] == ["env"] or around[2:3] + around[4:] == ["steps", "env"]
    )


def _aspect(place: Place) -> Aspect:
    section = place[0]
    if section == "tasks":
        if len(place) == len(("tasks", "id")):
            return "task"
        if _is_variable(place):
            return "env"
        return _ASPECT_OF_FIELD.get((section, place[2]), "other")
    if section == "jobs" and place[2:4] == ("github", "permissions"):
        return "permission"
    field = place[2:3]
    if field and (section, *field) in _ASPECT_OF_FIELD:
        return _ASPECT_OF_FIELD[section, field[0]]
    return _ASPECT_OF_SECTION.get(section, "other")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
