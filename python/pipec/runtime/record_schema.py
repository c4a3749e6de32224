"""The JSON Schema (draft-07) of a record, read off the dataclasses that define it."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pipec.runtime.record import SCHEMA_VERSION, RunRecord


def execution_record_schema() -> dict[str, Any]:
    """The schema of `execution.json`."""
    return document_schema(RunRecord, title="The record of a pipec run", version=SCHEMA_VERSION)


def document_schema(
    cls: type, *, title: str, version: int, key: str = "schema_version"
) -> dict[str, Any]:
    """The schema of the JSON that `to_json` makes of a dataclass; `key` has its version."""
    definitions: dict[str, Any] = {}
    _schema(cls, definitions)
    top = definitions.pop(cls.__name__)
    top["properties"][key] = {"type": "integer", "const": version}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        **top,
        "definitions": dict(sorted(definitions.items())),
    }


def line_schema(*classes: type, title: str) -> dict[str, Any]:
    """The schema of a line of JSON that `to_json` makes of one of these dataclasses."""
    definitions: dict[str, Any] = {}
    kinds = [_schema(cls, definitions) for cls in classes]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "anyOf": kinds,
        "definitions": dict(sorted(definitions.items())),
    }


def _schema(  # noqa: PLR0911 - a case for each shape of a type
    hint: Any, definitions: dict[str, Any]
) -> dict[str, Any]:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _schema(_without_none(hint), definitions)
    if origin is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0], definitions)}
    if origin is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(get_args(hint)[1], definitions)}
    if is_dataclass(hint):
        assert isinstance(hint, type)
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = object_schema(hint, definitions)
        return {"$ref": f"#/definitions/{hint.__name__}"}
    if hint is Any:
        return {}
    return {"type": {str: "string", int: "integer", bool: "boolean"}[hint]}


def object_schema(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of what `to_json` makes of a dataclass; those in it become definitions."""
    hints = get_type_hints(cls)
    names = [f.name for f in fields(cls)]
    return {
        "description": " ".join((cls.__doc__ or "").split()),
        "type": "object",
        "properties": {name: _schema(hints[name], definitions) for name in names},
        "required": sorted(name for name in names if not _is_optional(hints[name])),
        "additionalProperties": False,
    }


def _is_optional(hint: Any) -> bool:
    return types.NoneType in get_args(hint)


def _without_none(hint: Any) -> Any:
    (member,) = (member for member in get_args(hint) if member is not types.NoneType)
    return member
