"""How keys and values are spelled in each notation."""

import json
import re

from pipec.frontend.discover import Notation
from pipec.frontend.yaml_scalars import resolve

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_./-]*")


def spell_key(key: str, notation: Notation) -> str:
    """A key, in quotes where it needs them."""
    if notation == "toml":
        return key if _BARE.fullmatch(key) else _quoted(key)
    return _spell_plain(key)


def spell_value(value: str | int | tuple[str, ...] | None, notation: Notation) -> str:
    """A text, a whole number, a truth value, or a list of texts; for None an empty table."""
    if value is None:
        return "{}"
    if isinstance(value, int):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(spell_value(item, notation) for item in value)}]"
    return _quoted(value) if notation == "toml" else _spell_plain(value)


def _spell_plain(text: str) -> str:
    """A text of YAML: without quotes if it stays a text then."""
    is_plain = _PLAIN.fullmatch(text) and isinstance(resolve(text), str)
    return text if is_plain else _quoted(text)


def _quoted(text: str) -> str:
    # What JSON escapes, both notations read alike; DEL is the one character it leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
