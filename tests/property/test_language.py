"""Laws of the whole language, on documents that are built from its models."""

import json
import random
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipec import ir
from pipec.diagnostics import Route
from pipec.errors import SpecError
from pipec.frontend.document import Document
from pipec.frontend.layout.canonical import canonical_toml
from pipec.frontend.load import load_document
from pipec.frontend.read import read_values
from pipec.frontend.render import label_ranges, render
from pipec.ir.schema import ir_schema
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.schema import pipeline_schema
from tests.property.effort import laws
from tests.property.language import documents
from tests.property.pipelines import shuffled, to_toml, to_yaml

SCHEMA = jsonschema_rs.validator_for(pipeline_schema())
IR_SCHEMA = jsonschema_rs.validator_for(ir_schema())


def document(values: dict[str, Any], notation: Any) -> Document:
    text = to_toml(values, headings=True) if notation == "toml" else to_yaml(values)
    return Document(f"pipeline.{notation}", text, notation)


@given(documents(), st.randoms(use_true_random=False))
@laws(25)
def test_whatever_the_models_spell_compiles_and_its_schema_takes_it(
    values: dict[str, Any], source: random.Random
) -> None:
    SCHEMA.validate(values)
    written = document(shuffled(values, source), "toml")
    pipeline = load_document(written).pipeline
    encoded = ir.encode(pipeline)
    IR_SCHEMA.validate(json.loads(encoded))
    assert ir.decode(encoded) == pipeline
    assert ir.encode(load_document(document(values, "yaml")).pipeline) == encoded
    laid_out = canonical_toml(written, read_values(written))
    again = Document("pipeline.toml", laid_out, "toml")
    assert ir.encode(load_document(again).pipeline) == encoded
    assert canonical_toml(again, read_values(again)) == laid_out


OTHERS: list[Any] = [5, "x", "", True, [], {}, ["x"], {"x": 1}, 1.5, -1]


def routes(value: Any, route: Route = ()) -> Iterator[Route]:
    """Every place below the top of a document."""
    if route:
        yield route
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for key, member in members:
        yield from routes(member, (*route, key))


def mutated(values: dict[str, Any], route: Route, change: Any) -> tuple[dict[str, Any], Route]:
    """The document with another value there, or, for None, with another key; and the place."""
    copy = json.loads(json.dumps(values))
    parent = copy
    for part in route[:-1]:
        parent = parent[part]
    if change is not None or not isinstance(route[-1], str):
        parent[route[-1]] = 5 if change is None else change
        return copy, route
    key = f"{route[-1]}s"
    members = {key if name == route[-1] else name: member for name, member in parent.items()}
    parent.clear()
    parent.update(members)
    return copy, (*route[:-1], key)


@given(documents(), st.data())
@laws(60)
def test_a_mistake_is_found_where_it_was_made(values: dict[str, Any], data: st.DataObject) -> None:
    places = list(routes(values))
    route = data.draw(st.sampled_from(places), "place")
    changed, place = mutated(values, route, data.draw(st.sampled_from([None, *OTHERS]), "change"))
    try:
        PipelineSpec.model_validate(changed)
    except ValidationError:
        pass
    else:
        return
    for notation in ("toml", "yaml"):
        written = document(changed, notation)
        try:
            load_document(written)
        except SpecError as error:
            findings = error.findings
        else:
            raise AssertionError("the models refuse it, and the front end does not")
        assert render(findings, written, color=False)
        (span,) = written.spans([place])
        assert span is not None
        size = len(written.text.encode())
        covered = False
        for finding, ranges in label_ranges(findings, written):
            assert all(0 <= start <= end <= size for start, end in ranges)
            if finding.severity == "error":
                # What is in a table of several headings stands nowhere near the first of them.
                covered |= any(label.route[: len(place)] == place for label in finding.labels)
                covered |= any(touches(found, span) for found in ranges)
        assert covered, render(findings, written, color=False)


def touches(found: tuple[int, int], span: tuple[int, int, int, int]) -> bool:
    """Whether a range covers the key or the value at a place, or is in the value."""
    key_start, key_end, start, end = span
    return (
        found[0] <= key_start < key_end <= found[1]
        or found[0] <= start <= end <= found[1]
        or start <= found[0] <= found[1] <= end
    )
