"""Plain data that anybody may have written, read as the value of a dataclass that it should be."""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pipec.runtime.evidence.moments import epoch_ms

# Integers beyond these are not the same in every reader of JSON; RFC 8785.
_MOST = 2**53
# Until the year 2248: nanoseconds since the epoch fit into 64 bits, whatever they are added to.
_MOST_MS = 2**43


def value_of(hint: Any, data: Any) -> Any:
    """The value of a type from the JSON of it. Members that are not known are left out.

    Fields that end in `_ms` are milliseconds, those that end in `_at` times as records write them.

    Raises:
        ValueError: it is nothing of that type.
    """
    return _value(hint, data, "")


def _value(hint: Any, data: Any, name: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if data is None:
            return None
        (member,) = (member for member in get_args(hint) if member is not types.NoneType)
        return _value(member, data, name)
    if origin is tuple:
        return tuple(_value(get_args(hint)[0], item, name) for item in _fitting(data, list))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        member = get_args(hint)[1]
        items = _fitting(data, dict).items()
        return {_text(key, ""): _value(member, item, name) for key, item in items}
    if is_dataclass(hint):
        return hint(**_members(hint, _fitting(data, dict)))  # type: ignore[operator]
    return _plain(hint, data, name)


def _plain(hint: Any, data: Any, name: str) -> Any:
    if get_origin(hint) is Literal:
        return _one_of(data, get_args(hint))
    if hint is str:
        return _text(data, name)
    if hint is int:
        return _number(data, name)
    return _anything(data) if hint is Any else _fitting(data, hint)


def _anything(data: Any) -> Any:
    try:
        # No number that is none, no half of a character, nothing without a bottom.
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("it is too deep") from None
    return data


def _members(cls: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    members = {}
    for name, hint, is_needed in _fields(cls):
        if name in data:
            members[name] = _value(hint, data[name], name)
        elif is_needed:
            raise ValueError(f"`{name}` is missing")
    return members


def _fitting(data: Any, kind: type) -> Any:
    if not isinstance(data, kind):
        raise ValueError(f"a {type(data).__name__} is no {kind.__name__}")  # noqa: TRY004
    return data


def _text(data: Any, name: str) -> str:
    text = _fitting(data, str)
    # Half of a character is no text: `UnicodeEncodeError` is a `ValueError`.
    text.encode()
    if name.endswith("_at") and not 0 <= epoch_ms(text) < _MOST_MS:
        raise ValueError(f"`{name}` is out of range")
    return str(text)


def _number(data: Any, name: str) -> int:
    least, most = (0, _MOST_MS) if name.endswith("_ms") else (-_MOST, _MOST)
    if isinstance(data, bool) or not least <= _fitting(data, int) < most:
        raise ValueError(f"`{name}` is no number in range")
    return int(data)


def _one_of(data: Any, choices: tuple[Any, ...]) -> Any:
    if not isinstance(data, str) or data not in choices:
        raise ValueError(f"it is none of {', '.join(map(str, choices))}")
    return data


@cache
def _fields(cls: Any) -> tuple[tuple[str, Any, bool], ...]:
    hints = get_type_hints(cls)
    return tuple(
        (f.name, hints[f.name], f.default is MISSING and f.default_factory is MISSING)
        for f in fields(cls)
    )
