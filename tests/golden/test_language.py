"""Every key of the language has a file that is right and one that is wrong; the schema agrees."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import tomli
from pydantic import BaseModel

from pipec import ir
from pipec.diagnostics import Finding
from pipec.errors import SpecError
from pipec.frontend.document import Document
from pipec.frontend.load import load_document
from pipec.frontend.render import label_ranges, render
from pipec.spec.base import Spec, kebab
from pipec.spec.meaning import meanings
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.schema import all_models
from tests.golden.cases import Case, cases, described, differences, table_name
from tests.property.pipelines import to_yaml

SCHEMAS = Path(__file__).parents[2] / "schemas"
SCHEMA = jsonschema_rs.validator_for(json.loads((SCHEMAS / "pipeline.schema.json").read_text()))
IR_SCHEMA = jsonschema_rs.validator_for(json.loads((SCHEMAS / "ir.schema.json").read_text()))
VALID, INVALID = cases("valid"), cases("invalid")
KEYS = {
    (table_name(model), meaning.key) for model in all_models(Spec) for meaning in meanings(model)
}


def document(text: str, notation: Any = "toml") -> Document:
    return Document(f"pipeline.{notation}", text, notation)


def keys_in(value: Any) -> set[tuple[str, str]]:
    """The keys that are written in a validated document, each with its table."""
    if isinstance(value, Spec):
        written = {
            (table_name(type(value)), _alias(value, name)) for name in value.model_fields_set
        }
        members = [getattr(value, name) for name in value.model_fields_set]
    elif isinstance(value, BaseModel):
        return keys_in(value.root)  # type: ignore[attr-defined]
    else:
        written = set()
        members = list(value.values()) if isinstance(value, dict) else value
        members = members if isinstance(members, list) else []
    return written.union(*(keys_in(member) for member in members))


def _alias(value: Spec, name: str) -> str:
    field = type(value).model_fields.get(name)
    return (field.alias if field else None) or kebab(name)


def as_json(text: str) -> Any:
    """The values of a file as the editors' services have them: JSON has no dates."""
    return json.loads(json.dumps(tomli.loads(text), default=str))


def test_every_key_has_a_file_that_is_right_and_one_that_is_wrong() -> None:
    for kind in (VALID, INVALID):
        assert {(case.table, case.key) for case in kind} == KEYS
    assert all(case.expected for case in INVALID)
    assert not any(case.expected for case in VALID)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_what_is_right_compiles_in_both_notations(case: Case) -> None:
    values = tomli.loads(case.text)
    assert (case.table, case.key) in keys_in(PipelineSpec.model_validate(values))
    SCHEMA.validate(as_json(case.text))
    pipeline = load_document(document(case.text)).pipeline
    IR_SCHEMA.validate(json.loads(ir.encode(pipeline)))
    assert ir.decode(ir.encode(pipeline)) == pipeline
    assert load_document(document(to_yaml(values), "yaml")).pipeline == pipeline


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_what_is_wrong_is_found_where_it_is(case: Case) -> None:
    text = document(case.text)
    with pytest.raises(SpecError) as caught:
        load_document(text)
    findings = caught.value.findings
    assert described(findings) == case.expected
    for finding, ranges in label_ranges(findings, text):
        assert len(ranges) == len(finding.labels)
        assert all(0 <= start <= end <= len(case.text.encode()) for start, end in ranges)
    assert "pipeline.toml:" in render(findings, text, color=False)
    values = as_json(case.text)
    if values != tomli.loads(case.text):
        # Dates, which YAML 1.2 does not have.
        return
    twin = document(to_yaml(values), "yaml")
    with pytest.raises(SpecError) as caught:
        load_document(twin)
    assert sorted(described(caught.value.findings)) == sorted(case.expected)


def findings_of(case: Case) -> tuple[Finding, ...]:
    with pytest.raises(SpecError) as caught:
        load_document(document(case.text))
    return tuple(caught.value.findings)


def test_each_key_has_a_file_that_is_wrong_about_that_key() -> None:
    concerned = {
        (case.table, case.key)
        for case in INVALID
        for finding in findings_of(case)
        if f"`{case.key}`" in finding.message
        or any(case.key in label.route for label in finding.labels)
    }
    assert concerned == KEYS


def test_the_schema_says_the_same_but_for_what_it_cannot_say() -> None:
    accepted = {case.name for case in INVALID if SCHEMA.is_valid(as_json(case.text))}
    listed = [name for files in differences().values() for name in files]
    assert sorted(listed) == sorted(accepted)
