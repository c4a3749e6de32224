"""The committed schemas are those of the models, and editors can use them."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from pipec import ir
from pipec.spec.schema import DIALECT, generated_files, ir_schema, pipeline_schema
from tests.pipelines import pipeline_of

ROOT = Path(__file__).parents[3]

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


@pytest.mark.parametrize("path", sorted(generated_files()))
def test_a_committed_schema_is_current(path: str) -> None:
    committed = (ROOT / path).read_text(encoding="utf-8")
    assert committed == generated_files()[path], "`python -m pipec.spec.schema` writes it anew"


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for member in node.values():
            yield from nodes(member)
    elif isinstance(node, list):
        for member in node:
            yield from nodes(member)


@pytest.mark.parametrize("schema", [pipeline_schema(), ir_schema()], ids=["pipeline", "ir"])
def test_the_dialect_is_the_one_that_editors_share(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == DIALECT
    jsonschema_rs.meta.validate(schema)
    for node in nodes(schema):
        assert "additionalProperties" in node or node.get("type") != "object"
        assert "$ref" not in node or len(node) == 1
        assert not {"if", "oneOf", "discriminator", "$defs"} & node.keys()
        assert node.get("type") != "null"


def test_every_key_of_the_file_is_described() -> None:
    schema = pipeline_schema()
    permissions = schema["definitions"].pop("Permissions")
    assert permissions["properties"]["contents"]
    for table in [schema, *schema["definitions"].values()]:
        for key, value in table.get("properties", {}).items():
            assert "description" in value or "$ref" in value, key


def test_the_schema_takes_what_the_models_take() -> None:
    validator = jsonschema_rs.validator_for(pipeline_schema())
    assert validator.is_valid(tomllib.loads(EXAMPLE))
    for addition in ("[x]", "[tasks.group.one.env]\nA = 1", "[jobs.k]"):
        assert not validator.is_valid(tomllib.loads(EXAMPLE + addition))


def test_the_normal_form_of_a_pipeline_fits_its_schema() -> None:
    encoded = ir.encode(pipeline_of(EXAMPLE))
    jsonschema_rs.validator_for(ir_schema()).validate(json.loads(encoded))
