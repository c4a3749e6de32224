"""Reads a record back as the value that it was written from."""

import json
import os
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pipec.runtime.record import RunRecord
from pipec.runtime.records import JOURNAL, read_record, run_folder


def read_run(root: str, run_id: str) -> RunRecord | None:
    """The record of a run; None if there is none that can be read."""
    data = read_record(root, run_id)
    if data is None:
        return None
    try:
        return run_record(data)
    except (KeyError, TypeError, ValueError):
        return None


def run_record(data: Mapping[str, Any]) -> RunRecord:
    """A record from the JSON of `execution.json`. Members that are not known are left out.

    Raises:
        KeyError, TypeError, ValueError: it is no record.
    """
    record = _value(RunRecord, data)
    assert isinstance(record, RunRecord)
    return record


def read_journal(root: str, run_id: str) -> list[dict[str, Any]]:
    """The events of a run; lines that a crash cut off are left out."""
    try:
        with open(os.path.join(run_folder(root, run_id), JOURNAL), "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event and "at_ms" in event:
            events.append(event)
    return events


def _value(hint: Any, data: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if data is None:
            return None
        (member,) = (member for member in get_args(hint) if member is not types.NoneType)
        return _value(member, data)
    if origin is tuple:
        return tuple(_value(get_args(hint)[0], item) for item in data)
    if origin is not None and origin is not Literal and issubclass(origin, Mapping):
        return {str(key): _value(get_args(hint)[1], item) for key, item in data.items()}
    if is_dataclass(hint):
        return hint(**_members(hint, data))  # type: ignore[operator]
    expected = (str,) if origin is Literal else (hint,)
    if hint is not Any and not isinstance(data, expected):
        raise TypeError(f"{data!r} is no {hint}")
    return data


def _members(cls: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    members = {}
    for name, hint, is_needed in _fields(cls):
        if name in data:
            members[name] = _value(hint, data[name])
        elif is_needed:
            raise KeyError(name)
    return members


@cache
def _fields(cls: Any) -> tuple[tuple[str, Any, bool], ...]:
    hints = get_type_hints(cls)
    return tuple(
        (f.name, hints[f.name], f.default is MISSING and f.default_factory is MISSING)
        for f in fields(cls)
    )
