"""The text of a pipeline in YAML: blocks, keys in order, comments above what they are about."""

import re
from collections.abc import Iterator
from typing import Any

from pipec.diagnostics import Route
from pipec.frontend.yaml_scalars import resolve
from pipec.importers.settle import Settled
from pipec.importers.wrap import wrap

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./ @+=,-]*")
_BLOCK = re.compile(r"[\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]*")
_UNPRINTABLE = re.compile(r'[\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
_LONGEST_LIST = 60
# Words that YAML 1.1 takes for truth values: other readers of the file may.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})


def write_yaml(settled: Settled, *, schema: str) -> str:
    """The text, with a first line for editors that names the schema."""
    lines = [f"# yaml-language-server: $schema={schema}"]
    remarks = settled.comments.get((), [])
    lines += [f"# {line}" for text in remarks for line in wrap(text)]
    lines += _table(settled, settled.values, (), "")
    return "\n".join(lines) + "\n"


def _table(settled: Settled, table: dict[str, Any], route: Route, indent: str) -> Iterator[str]:
    for key, value in table.items():
        inner = (*route, key)
        if isinstance(value, dict) and not route:
            yield ""
        for text in settled.comments.get(inner, []):
            yield from (f"{indent}# {line}" for line in wrap(text))
        yield from _member(settled, f"{indent}{_scalar(key)}:", value, inner, indent)


def _member(settled: Settled, start: str, value: Any, route: Route, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield start
        yield from _table(settled, value, route, indent + "  ")
    elif isinstance(value, list) and value and not _is_short(value):
        yield start
        for item in value:
            yield from _item(item, indent + "  ")
    elif isinstance(value, str) and _is_block(value):
        yield from _block(start, value, indent + "  ")
    else:
        yield f"{start} {_flow(value)}"


def _item(item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, str) and _is_block(item):
        yield from _block(f"{indent}-", item, indent + "  ")
    elif isinstance(item, dict) and item:
        lines = list(_table(Settled({}), item, ("item",), indent + "  "))
        yield f"{indent}- {lines[0].lstrip()}"
        yield from lines[1:]
    else:
        yield f"{indent}- {_flow(item)}"


def _is_short(items: list[Any]) -> bool:
    return (
        not any(
            isinstance(item, (dict, list)) or (isinstance(item, str) and _is_block(item))
            for item in items
        )
        and sum(len(str(item)) + 4 for item in items) < _LONGEST_LIST
    )


def _is_block(text: str) -> bool:
    """Whether a text can stand as it is, under a `|`."""
    return (
        "\n" in text
        and text[0] not in " \t\n"
        and not text.endswith("\n\n")
        and _BLOCK.fullmatch(text) is not None
        and all(line.strip() or not line for line in text.split("\n"))
    )


def _block(start: str, text: str, indent: str) -> Iterator[str]:
    yield f"{start} |" if text.endswith("\n") else f"{start} |-"
    yield from (f"{indent}{line}" if line else "" for line in text.removesuffix("\n").split("\n"))


def _flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_flow(item) for item in value)}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{_scalar(key)}: {_flow(member)}" for key, member in value.items())
        return f"{{{pairs}}}"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    is_plain = _PLAIN.fullmatch(text) and text == text.strip() and "," not in text
    if is_plain and resolve(text) == text and text.lower() not in _WORDS:
        return text
    return f'"{_UNPRINTABLE.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04x}"
