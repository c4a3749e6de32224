"""The schema of the pipeline file: in the dialect of editors, with a word about every key."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import tomli
from pydantic import TypeAdapter

from pipec import ir
from pipec.ir.schema import ir_schema
from pipec.spec.meaning import meanings
from pipec.spec.schema import DIALECT, all_models, pipeline_schema
from tests.pipelines import pipeline_of

EXAMPLE = """
"$schema" = "x"
name = "app"
env = { A = "x", B = { secret = "S" }, C = { var = "V", map = { a = "b" } } }
[tasks.group.one]
inputs = ["a", { env = "X" }]
outputs = [{ glob = "b", optional = true }]
run = ["x", { argv = ["a"] }]
cache = { ttl = "1h" }
timeout = 1000

[tasks.two.matrix]
os = ["a", 1]
[jobs.j]
target = "group.one"
params = { p = "int" }
trigger = ["t"]
[triggers.t]
github = { events = ["push"] }
"""

SCHEMA = pipeline_schema()
MODELS = {model.__name__.removesuffix("Spec"): model for model in all_models()}
TABLES = {"Pipeline": SCHEMA, **SCHEMA["definitions"]}


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema; names of keys and values of examples are none."""
    if isinstance(node, list):
        for member in node:
            yield from nodes(member)
    elif isinstance(node, dict):
        yield node
        for keyword, member in node.items():
            if keyword in {"properties", "definitions"}:
                for inner in member.values():
                    yield from nodes(inner)
            elif keyword not in {"examples", "default", "x-taplo", "required", "enum"}:
                yield from nodes(member)


@pytest.mark.parametrize("schema", [SCHEMA, ir_schema()], ids=["pipeline", "ir"])
def test_the_dialect_is_the_one_that_editors_share(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == DIALECT
    jsonschema_rs.meta.validate(schema)
    for node in nodes(schema):
        assert "additionalProperties" in node or node.get("type") != "object"
        assert "$ref" not in node or len(node) == 1
        assert not {"if", "oneOf", "discriminator", "$defs", "patternProperties"} & node.keys()
        assert node.get("type") != "null"


def test_every_table_of_the_language_is_in_the_schema() -> None:
    assert MODELS.keys() - {"Pipeline"} <= SCHEMA["definitions"].keys()
    assert SCHEMA["x-tombi-toml-version"] == "v1.0.0"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_key_has_its_meaning_its_default_and_an_example(name: str) -> None:
    table = TABLES[name]
    expected = {meaning.key: meaning for meaning in meanings(MODELS[name])}
    assert table["properties"].keys() == expected.keys()
    assert table.get("x-taplo", {}).get("initKeys", []) == table.get("required", [])
    for key, described in table["properties"].items():
        meaning = expected[key]
        assert meaning.text.endswith((".", "?")), key
        assert meaning.example, f"{name}.{key} has no example in its docstring"
        assert described["examples"] == [tomli.loads(meaning.example)[key]]
        assert described["description"].startswith(f"{meaning.text}\n\n")
        assert described["markdownDescription"].startswith(described["description"])
        assert "```yaml\n" in described["markdownDescription"]
        assert f"```toml\n{meaning.example}```" in described["x-taplo"]["docs"]["main"]
        assert ("default" in described) == (meaning.default is not None)
        assert (key in table.get("required", [])) == meaning.is_required


@pytest.mark.parametrize("name", sorted(MODELS))
def test_defaults_and_examples_can_be_written(name: str) -> None:
    """Each alone: that two keys of a table do not go together is for the golden files."""
    model = MODELS[name]
    fields = {field.alias: field for field in model.model_fields.values()}
    table = {"properties": TABLES[name]["properties"], "definitions": SCHEMA["definitions"]}
    schema = jsonschema_rs.validator_for(table)
    for meaning in meanings(model):
        adapter = TypeAdapter(fields[meaning.key].rebuild_annotation())
        for value in (meaning.example_value, meaning.default):
            if value is not None:
                adapter.validate_python(value, strict=True)
                schema.validate({meaning.key: value})


def test_the_order_of_keys_is_told_where_there_is_one() -> None:
    ordered = {name for name, table in TABLES.items() if "x-tombi-table-keys-order" in table}
    assert ordered == {
        *("Pipeline", "Workspace", "Task", "TaskOrGroup", "Job"),
        *("Source", "Profile", "Agent"),
    }
    assert SCHEMA["properties"]["jobs"]["x-tombi-additional-key-label"] == "job"


def test_the_schema_takes_what_the_models_take() -> None:
    validator = jsonschema_rs.validator_for(SCHEMA)
    assert validator.is_valid(tomllib.loads(EXAMPLE))
    for addition in ("[x]", "[tasks.group.one.env]\nA = 1", "[jobs.k]"):
        assert not validator.is_valid(tomllib.loads(EXAMPLE + addition))


def test_the_normal_form_of_a_pipeline_fits_its_schema() -> None:
    encoded = ir.encode(pipeline_of(EXAMPLE))
    jsonschema_rs.validator_for(ir_schema()).validate(json.loads(encoded))
