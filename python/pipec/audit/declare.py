"""Adds to a pipeline file what an audit found missing. Comments and layout stay. Needs `edit`."""

from collections.abc import Sequence
from typing import Any

import tomlkit
from tomlkit.items import Array

from pipec.audit.findings import AuditFinding, Field
from pipec.audit.patterns import literal
from pipec.diagnostics import Route

MANY = 4
"""From so many files of one folder on, the folder is declared instead."""

_FIELDS: tuple[Field, ...] = ("depends-on", "inputs", "outputs")


def declare(text: str, route: Route, findings: Sequence[AuditFinding]) -> str:
    """The text of the file with what was missing. `route` leads to the task's table.

    Raises:
        KeyError, IndexError, TypeError: it leads nowhere.
    """
    document = tomlkit.parse(text)
    table: Any = document
    for key in route:
        table = table[key]
    for field in _FIELDS:
        missing = [
            one.pattern
            for one in findings
            if one.field == field and one.severity == "error" and one.pattern
        ]
        if missing:
            patterns = missing if field == "depends-on" else _gathered(missing)
            _extend(table, field, list(dict.fromkeys(patterns)))
    return tomlkit.dumps(document)


def _extend(table: Any, field: str, patterns: Sequence[str]) -> None:
    present = table.get(field)
    if not isinstance(present, Array):
        array = tomlkit.array()
        if present is not None:
            array.append(present)
        table[field] = array
        present = table[field]
    is_on_lines = "\n" in present.as_string()
    for pattern in patterns:
        if pattern in present:
            continue
        if is_on_lines:
            present.add_line(pattern, indent="  ")
        else:
            present.append(pattern)


def _gathered(paths: Sequence[str]) -> list[str]:
    """A pattern for each path, or for a folder of which there are many."""
    by_folder: dict[str, list[str]] = {}
    for path in paths:
        by_folder.setdefault(path.rpartition("/")[0], []).append(path)
    patterns: list[str] = []
    for folder, members in by_folder.items():
        if folder and len(members) >= MANY:
            patterns.append(f"{literal(folder)}/**")
        else:
            patterns += map(literal, members)
    return patterns
