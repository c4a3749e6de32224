"""The text of a pipeline in TOML, as `pipec fmt` would leave it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipec.diagnostics import Route
from pipec.frontend.layout.order import Table, table_at
from pipec.frontend.layout.values import lay_out
from pipec.importers.settle import Settled
from pipec.importers.wrap import wrap

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_GROUPS = frozenset({Table.TASK_GROUP, Table.TASK_DEFAULTS, Table.JOBS})
_LONGEST_INLINE = 60


def write_toml(settled: Settled, *, schema: str) -> str:
    """The text, with a first line for editors that names the schema."""
    lines = [f"#:schema {schema}", ""]
    remarks = settled.comments.get((), [])
    if remarks:
        lines += [*(f"# {line}" for text in remarks for line in wrap(text)), ""]
    for part in _table(settled, settled.values, (), Table.PIPELINE):
        lines += part
    return "\n".join(lines).strip("\n") + "\n"


def _table(
    settled: Settled, table: Mapping[str, Any], route: Route, kind: Table
) -> Iterator[list[str]]:
    """The lines of a table and of each one below it, a blank line before all but the top."""
    entries: list[str] = []
    below: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, dict) and (kind in _GROUPS or _is_section(route, key, value)):
            below.append((key, value))
        else:
            start = f"{_key(key)} = "
            entries.append(start + lay_out(_value(value), prefix=start))
    comments = settled.comments.get(route, []) if route else []
    is_needed = entries or comments or not below
    if route and is_needed:
        name = ".".join(_key(str(part)) for part in route)
        remarks = [f"# {line}" for text in comments for line in wrap(text)]
        yield ["", *remarks, f"[{name}]", *entries]
    elif not route:
        yield entries
    for key, value in below:
        yield from _table(settled, value, (*route, key), table_at(kind, key, value))


def _is_section(route: Route, key: str, value: Mapping[str, Any]) -> bool:
    """Whether a table gets a header of its own: sections do, and tables that are long or deep."""
    if not route:
        return key != "cache"
    if len(route) == 1 and route[0] in ("tasks", "jobs"):
        return True
    return len(f"{_key(key)} = {_value(value)}") > _LONGEST_INLINE and key in {"env", "matrix"}


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _basic(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    pairs = ", ".join(f"{_key(key)} = {_value(member)}" for key, member in value.items())
    return f"{{ {pairs} }}" if pairs else "{}"


def _text(text: str) -> str:
    bare = text.replace("\n", "").replace("\t", "")
    if "\n" in text and not _CONTROL.search(bare):
        if "\\" not in text and '"""' not in text and not text.endswith('"'):
            return f'"""\n{text}"""'
        if "'''" not in text and not text.endswith("'"):
            return f"'''\n{text}'''"
    elif ('"' in text or "\\" in text) and "'" not in text and not _CONTROL.search(text):
        return f"'{text}'"
    return _basic(text)


def _basic(text: str) -> str:
    """A basic string: TOML's escapes are JSON's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
