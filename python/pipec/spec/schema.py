"""JSON Schemas of the pipeline file and of the normalized pipeline, as editors understand them.

Draft 7, `additionalProperties` on every object, nothing beside a `$ref`, nothing nullable: what the
editors' TOML and YAML services treat alike.

`python -m pipec.spec.schema` writes both, from the root of a checkout; a test compares them.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.json_schema import GenerateJsonSchema

from pipec.ir.codec import IR_VERSION, written_fields
from pipec.ir.env import Literal as LiteralValue
from pipec.ir.pipeline import Pipeline
from pipec.spec.pipeline import PipelineSpec

DIALECT = "http://json-schema.org/draft-07/schema#"

Schema = dict[str, Any]


def generated_files() -> dict[str, str]:
    """The text of each schema, by its path in the repository."""
    schemas = {"pipeline": pipeline_schema(), "ir": ir_schema()}
    return {
        f"schemas/{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def pipeline_schema() -> Schema:
    """The schema of the pipeline file."""
    schema = _tidy(PipelineSpec.model_json_schema(schema_generator=GenerateJsonSchema))
    definitions = {
        name.removesuffix("Spec"): definition
        for name, definition in sorted(schema.pop("$defs").items())
    }
    return {
        "$schema": DIALECT,
        "title": "pipec pipeline",
        **schema,
        "definitions": definitions,
    }


def _tidy(node: Any, *, is_map: bool = False) -> Any:
    """The node in the shared dialect. In a map the keys are names, not keywords."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    if is_map:
        return {name: _tidy(member) for name, member in node.items()}
    node = _without_null(node)
    tidy: Schema = {}
    for keyword, value in node.items():
        if keyword in _DROPPED or (keyword == "default" and value in _NOTHING):
            continue
        if keyword == "$ref":
            tidy[keyword] = value.replace("#/$defs/", "#/definitions/").removesuffix("Spec")
        elif keyword in _LITERAL:
            tidy[keyword] = value
        else:
            name = "anyOf" if keyword == "oneOf" else keyword
            tidy[name] = _tidy(value, is_map=keyword in {"properties", "$defs"})
    if "$ref" in tidy and len(tidy) > 1:
        tidy["allOf"] = [{"$ref": tidy.pop("$ref")}]
    return tidy


def _without_null(node: Schema) -> Schema:
    """An optional field may be left out, and it may not be null."""
    members = [item for item in node.get("anyOf", ()) if item != {"type": "null"}]
    if len(members) == len(node.get("anyOf", ())):
        return node
    rest = {key: value for key, value in node.items() if key not in {"anyOf", "default"}}
    return {**members[0], **rest} if len(members) == 1 else {"anyOf": members, **rest}


_DROPPED = frozenset({"title", "discriminator"})
_LITERAL = frozenset({"default", "enum", "const", "required"})
_NOTHING: tuple[Any, ...] = (None, "", {}, [])


def ir_schema() -> Schema:
    """The schema of the normalized pipeline, as `pipec compile` prints it."""
    definitions: dict[str, Schema] = {}
    _define(Pipeline, definitions)
    root = definitions.pop("Pipeline")
    root["properties"] = {"ir-version": {"const": IR_VERSION}, **root["properties"]}
    root["required"] = ["ir-version", *root["required"]]
    return {
        "$schema": DIALECT,
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


if __name__ == "__main__":
    for path, text in generated_files().items():
        Path(path).write_text(text, encoding="utf-8")
