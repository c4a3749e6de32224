"""Laws of the front end: notation, order and formatting mean nothing; no input crashes it."""

import random
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from pipec import ir
from pipec.diagnostics import Finding
from pipec.errors import SpecError
from pipec.frontend.discover import Found, Notation
from pipec.frontend.document import Document
from pipec.frontend.load import load_document
from pipec.frontend.read import read_text
from pipec.frontend.render import label_ranges, render
from tests.property.pipelines import PIPELINES, shuffled, to_toml, to_yaml


def compiled(text: str, notation: Notation) -> bytes:
    return ir.encode(load_document(Document(f"pipeline.{notation}", text, notation)).pipeline)


@given(PIPELINES, st.randoms(use_true_random=False))
def test_every_spelling_of_a_pipeline_gives_the_same_bytes(
    pipeline: dict[str, Any], source: random.Random
) -> None:
    expected = compiled(to_toml(pipeline, headings=True), "toml")
    assert ir.encode(ir.decode(expected)) == expected
    other = shuffled(pipeline, source)
    assert compiled(to_toml(other, headings=False), "toml") == expected
    assert compiled(to_yaml(other), "yaml") == expected
    assert compiled(to_yaml(other, flow=True), "yaml") == expected


KEYS = st.sampled_from(
    [
        "name",
        "tasks",
        "jobs",
        "env",
        "run",
        "inputs",
        "cache",
        "matrix",
        "triggers",
        "named-inputs",
        "target",
        "sh",
        "a",
        "retry",
    ]
)
VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.text(max_size=5), st.just("a"), st.just("^a:b")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


def said_about(document: Document) -> tuple[Finding, ...]:
    try:
        return load_document(document).warnings
    except SpecError as error:
        return error.findings


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_whatever_the_values_are_every_finding_has_a_place_and_is_said_once(
    values: dict[str, Any],
) -> None:
    for notation, text in (("toml", to_toml(values, headings=True)), ("yaml", to_yaml(values))):
        document = Document(f"pipeline.{notation}", text, notation)  # type: ignore[arg-type]
        findings = said_about(document)
        assert len(set(findings)) == len(findings)
        size = len(text.encode())
        for finding, ranges in label_ranges(findings, document):
            assert len(ranges) == len(finding.labels)
            assert all(0 <= start <= end <= size for start, end in ranges)
        if findings:
            assert render(findings, document, color=True)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=100).map(str.encode),
        st.text("[]{}\"'\\\n\t =.,:#-*&!|>ab1\r", max_size=60).map(str.encode),
    ),
    st.sampled_from(["toml", "yaml"]),
)
@example(b"a = '''\n", "toml")
@example(b"? [a]\n: b", "yaml")
@example(b"a: &b\n  c: *b\n", "yaml")
@example(b"%YAML 9.9\n---\na", "yaml")
def test_no_bytes_raise_anything_but_a_spec_error(content: bytes, notation: Notation) -> None:
    found = Found(root="/", path=f"/pipeline.{notation}", notation=notation, shown="pipeline")
    try:
        load_document(read_text(found, content))
    except SpecError as error:
        rendered = render(error.findings, error.document, color=False)
    else:
        rendered = "nothing"
    assert rendered
