"""The JSON Schema of the pipeline file, as editors understand it.

Draft 7, `additionalProperties` on every object, nothing beside a `$ref`, nothing nullable: what the
editors' TOML and YAML services treat alike. Every key has its meaning, its default and an example,
in the words of the models.
"""

import json
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema

from pipec.spec.base import Spec
from pipec.spec.job import JobSpec
from pipec.spec.later import AgentSpec, ProfileSpec, SourceSpec, WorkspaceSpec
from pipec.spec.meaning import Meaning, meanings
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.task import TaskSpec

DIALECT = "http://json-schema.org/draft-07/schema#"

Schema = dict[str, Any]


def schema_id(name: str, version: str) -> str:
    """The `$id` of a schema: it names the version of the tool that the schema belongs to."""
    return f"urn:pipec:schema:{name}:{version}"


def pipeline_schema() -> Schema:
    """The schema of the pipeline file."""
    schema = _tidy(PipelineSpec.model_json_schema(schema_generator=GenerateJsonSchema))
    definitions = schema.pop("$defs")
    models = {model.__name__: model for model in all_models()}
    _annotate(schema, PipelineSpec)
    for name, definition in definitions.items():
        if name in models:
            _annotate(definition, models[name])
    return _with_one_table_of_tasks(schema, definitions)


def _with_one_table_of_tasks(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """The schema in which a task and a group of tasks are one table.

    What is no key of a task has to be a task or a group in it. With a choice of two, editors mark a
    whole task for one wrong key, and offer no key at all. That a table is not both, pipec checks.
    """
    joined = {
        key: member for key, member in definitions["TaskSpec"].items() if key != "description"
    }
    group = definitions.pop("TaskGroup")
    choice = group.pop("additionalProperties")
    own = {"$ref": "#/definitions/TaskOrGroup"}
    definitions["TaskOrGroup"] = {
        **joined,
        **group,
        "description": "A task, or a group of tasks: a table that holds nothing but tables.",
        "additionalProperties": own,
    }
    schema, definitions = _replaced(schema, choice, own), _replaced(definitions, choice, own)
    return {
        "$schema": DIALECT,
        "title": "pipec pipeline",
        "x-tombi-toml-version": "v1.0.0",
        **schema,
        "definitions": {
            name.removesuffix("Spec"): definitions[name] for name in sorted(definitions)
        },
    }


def _replaced(node: Any, old: Schema, new: Schema) -> Any:
    if node == old:
        return new
    if isinstance(node, list):
        return [_replaced(item, old, new) for item in node]
    if isinstance(node, dict):
        return {key: _replaced(member, old, new) for key, member in node.items()}
    return node


def all_models(base: type[Spec] = Spec) -> Iterator[type[Spec]]:
    """The models of all tables of the language."""
    for model in base.__subclasses__():
        if model.__subclasses__():
            # What several tables share is no table itself.
            yield from all_models(model)
        else:
            yield model


_ORDERED = (
    PipelineSpec,
    TaskSpec,
    JobSpec,
    WorkspaceSpec,
    SourceSpec,
    ProfileSpec,
    AgentSpec,
)
"""Tables whose keys have an order, the one in which `pipec fmt` puts them."""

_MEMBERS = {
    "agents": "agent",
    "env": "variable",
    "execution": "profile",
    "jobs": "job",
    "map": "value",
    "named-inputs": "named input",
    "params": "parameter",
    "pools": "pool",
    "sandboxes": "sandbox",
    "scripts": "script",
    "sources": "source",
    "stores": "store",
    "task-defaults": "task",
    "tasks": "task",
    "triggers": "trigger",
    "with": "argument",
}
"""What a member of a table with names of the author's own is called."""


def _annotate(schema: Schema, model: type[Spec]) -> None:
    """Says of a table and of each of its keys what editors show and offer."""
    required = schema.get("required")
    if required:
        schema["x-taplo"] = {"initKeys": required}
    if model in _ORDERED:
        schema["x-tombi-table-keys-order"] = "schema"
    for meaning in meanings(model):
        described = schema["properties"][meaning.key]
        described.pop("description", None)
        described.pop("default", None)
        if "$ref" in described:
            described["allOf"] = [{"$ref": described.pop("$ref")}]
        if meaning.key in _MEMBERS and isinstance(described.get("additionalProperties"), dict):
            described["x-tombi-additional-key-label"] = _MEMBERS[meaning.key]
        schema["properties"][meaning.key] = {**_described(meaning), **described}


def _described(meaning: Meaning) -> Schema:
    sentences = [meaning.text, _default_sentence(meaning)]
    described: Schema = {
        "description": "\n\n".join(sentences),
        "markdownDescription": "\n\n".join([*sentences, _fenced("yaml", _as_yaml(meaning))]),
        "x-taplo": {
            "docs": {"main": "\n\n".join([*sentences, _fenced("toml", meaning.example)])},
        },
        "examples": [meaning.example_value],
    }
    if meaning.default is not None:
        described["default"] = meaning.default
    return described


def _default_sentence(meaning: Meaning) -> str:
    if meaning.is_required:
        return "Required."
    if meaning.default in (None, "", [], {}):
        return "Optional."
    return f"Default: `{json.dumps(meaning.default)}`."


def _as_yaml(meaning: Meaning) -> str:
    # What the editors of YAML show is in YAML.
    return yaml.safe_dump({meaning.key: meaning.example_value}, sort_keys=False, width=80)


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}```"


def _tidy(node: Any, *, is_map: bool = False) -> Any:
    """The node in the shared dialect. In a map the keys are names, not keywords."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    if is_map:
        return {name: _tidy(member) for name, member in node.items()}
    node = _with_property_names(_without_null(node))
    tidy: Schema = {}
    for keyword, value in node.items():
        if keyword in _DROPPED:
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


def _with_property_names(node: Schema) -> Schema:
    """A map says how its keys look beside its values: a pattern of keys would admit others."""
    patterns = node.get("patternProperties")
    if patterns is None:
        return node
    ((pattern, values),) = patterns.items()
    rest = {key: value for key, value in node.items() if key != "patternProperties"}
    names = {**rest.pop("propertyNames", {}), "pattern": pattern}
    return {**rest, "propertyNames": names, "additionalProperties": values}


def _without_null(node: Schema) -> Schema:
    """An optional field may be left out, and it may not be null."""
    members = [item for item in node.get("anyOf", ()) if item != {"type": "null"}]
    if len(members) == len(node.get("anyOf", ())):
        return node
    rest = {key: value for key, value in node.items() if key not in {"anyOf", "default"}}
    return {**members[0], **rest} if len(members) == 1 else {"anyOf": members, **rest}


_DROPPED = frozenset({"title", "discriminator"})
_LITERAL = frozenset({"default", "enum", "const", "required"})
