"""The JSON document of `pipec diff`, and how a change is told in a line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pipec.cli.documents import SCHEMA_VERSION
from pipec.plan.change import Aspect, Change, KeyChange
from pipec.runtime.visible import visible

HEADINGS: dict[Aspect, str] = {
    "permission": "Permissions",
    "secret": "Secrets",
    "job": "Jobs",
    "trigger": "Triggers",
    "task": "Tasks",
    "edge": "Dependencies",
    "input": "Inputs",
    "output": "Outputs",
    "env": "Environment",
    "step": "Steps",
    "cache": "Cache",
    "other": "Other",
}

_SECTIONS = {"tasks": "task", "jobs": "job", "triggers": "trigger"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSide:
    """A pipeline that was compared. Without a revision it is the working file."""

    path: str
    revision: str | None = None
    commit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffDocument:
    """How two pipelines differ in meaning. `pipec diff --format json`."""

    schema_version: int = SCHEMA_VERSION
    before: ComparedSide
    after: ComparedSide
    changes: tuple[Change, ...]
    keys: tuple[KeyChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A change for people: whose it is, what of it, and its values where they say more."""

    sign: str
    whose: str
    what: str
    before: str = ""
    after: str = ""


def by_heading(changes: tuple[Change, ...]) -> Iterator[tuple[str, list[Line]]]:
    """The changes under their headings."""
    for aspect, group in groupby(changes, key=lambda change: change.aspect):
        yield HEADINGS[aspect], [_line(change) for change in group]


def side_name(side: ComparedSide) -> str:
    """What a person calls a side."""
    return visible(side.path if side.revision is None else f"{side.revision}:{side.path}")


def key_summary(key: KeyChange) -> str:
    """`changes (steps, env)`, `may change (inputs)`, or `unchanged`."""
    parts = []
    if key.changed:
        parts.append(f"changes ({', '.join(key.changed)})")
    if key.possible:
        parts.append(f"{'also ' if key.changed else ''}may change ({', '.join(key.possible)})")
    return "; ".join(parts) or "unchanged"


def _line(change: Change) -> Line:
    section, *rest = change.place
    if section in _SECTIONS and rest:
        whose, fields = f"{_SECTIONS[section]} {visible(rest[0])}", rest[1:]
    else:
        whose, fields = "pipeline", [section, *rest]
    sign = {"added": "+", "removed": "-", "renamed": ">", "changed": "~"}[change.action]
    what = " ".join(visible(field) for field in fields)
    if change.action == "renamed":
        return Line(sign=sign, whose=whose, what="", before=f"task {change.before}")
    spell = _spell if fields else _spell_whole
    return Line(
        sign=sign, whose=whose, what=what, before=spell(change.before), after=spell(change.after)
    )


def _spell_whole(value: Any) -> str:
    """What a whole task or job does; the file shows the rest better than a line could."""
    if value is None:
        return ""
    if "targets" in value:
        return "runs " + ", ".join(visible(target) for target in value["targets"])
    if "steps" in value:
        return "; ".join(_spell(step) for step in value["steps"])
    return ""


def _spell(value: Any) -> str:
    """A value on one line; a text without quotes, a pattern as it is written."""
    if value is None or value == {}:
        return ""
    if isinstance(value, str):
        return visible(value) or '""'
    if isinstance(value, dict):
        plain = _spell_table(value)
        if plain is not None:
            return visible(plain)
    return visible(json.dumps(value, ensure_ascii=False))


def _spell_table(value: dict[str, Any]) -> str | None:
    """Patterns, named inputs and one-line steps in the words of the file."""
    bang = "!" if value.get("exclude") else ""
    names = value.keys() - {"exclude"}
    if names == {"glob"}:
        return f"{bang}{value['glob']}"
    if names == {"named"}:
        return f"{bang}{value['named']} (named input)"
    if names == {"kind", "command"}:
        return str(value["command"])
    if names == {"name"}:
        return str(value["name"])
    if names == {"secret"}:
        return f"secret {value['secret']}"
    return None
