"""The JSON Schema (draft-07) of the normalized pipeline, read off its dataclasses."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pipec.ir.codec import IR_VERSION, written_fields
from pipec.ir.env import Literal as LiteralValue
from pipec.ir.pipeline import Pipeline

Schema = dict[str, Any]


def ir_schema() -> Schema:
    """The schema of the normalized pipeline, as `pipec compile` prints it."""
    definitions: dict[str, Schema] = {}
    _define(Pipeline, definitions)
    root = definitions.pop("Pipeline")
    root["properties"] = {"ir-version": {"const": IR_VERSION}, **root["properties"]}
    root["required"] = ["ir-version", *root["required"]]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "pipec normalized pipeline",
        **root,
        "definitions": dict(sorted(definitions.items())),
    }


def _define(cls: Any, definitions: dict[str, Schema]) -> Schema:
    name = cls.__name__
    if name not in definitions:
        definitions[name] = {}
        hints = get_type_hints(cls)
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for attribute, key, default in written_fields(cls):
            properties[key] = _schema_of(hints[attribute], definitions)
            if default is MISSING:
                required.append(key)
        definitions[name] = {
            "description": " ".join((cls.__doc__ or "").split()),
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
    return {"$ref": f"#/definitions/{name}"}


_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    Any: {},
}


def _schema_of(hint: Any, definitions: dict[str, Schema]) -> Schema:
    origin = get_origin(hint)
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin in {Union, types.UnionType}:
        members = [item for item in get_args(hint) if item is not types.NoneType]
        schemas = [_schema_of(member, definitions) for member in members]
        if LiteralValue in members:
            schemas.insert(0, {"type": "string"})
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    if origin is not None:
        return _schema_of_many(origin, get_args(hint), definitions)
    if is_dataclass(hint):
        return _define(hint, definitions)
    # What is left is a `NewType`.
    return _schema_of(hint.__supertype__, definitions)


def _schema_of_many(origin: Any, members: Any, definitions: dict[str, Schema]) -> Schema:
    if origin is tuple:
        return {"type": "array", "items": _schema_of(members[0], definitions)}
    assert issubclass(origin, Mapping)
    return {"type": "object", "additionalProperties": _schema_of(members[1], definitions)}
