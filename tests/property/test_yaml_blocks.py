"""Laws of reading YAML by blocks: it is the same as reading all of it, whatever came before."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipec.diagnostics import Finding
from pipec.errors import SpecError
from pipec.frontend.document import Document, Kept
from pipec.frontend.outline.outline import outline
from pipec.frontend.outline.yaml import KnownBlocks
from pipec.frontend.read_yaml import read_yaml
from pipec.frontend.read_yaml_blocks import read_blocks
from tests.property.effort import laws
from tests.property.pipelines import PIPELINES, to_yaml
from tests.property.test_outline import routes

LINES = st.sampled_from(
    [
        *("name: x", "tasks:", "  a:", "  b: {run: x}", "    run: 'x", "    - y", " c: 1", "- d"),
        *("# remark", "", "\t", "    run: |", '  "q": 1', "  e: [1,", "}", "é: '\u2028'", "---"),
        *("y: *a", "  <<: *a", "tasks: {}", "  a: 2", "? z", "  k:\r", "k: >-", "  long text"),
        *(
            "x: &a 1",
            '"tasks": ',
            "'b':",
            '  "a b": x"',
            "true:",
            "null: 1",
            "  12: x",
            "jobs: # x",
        ),
    ]
)


def read(text: str, kept: Kept | None) -> tuple[dict[str, Any] | list[Finding], Document]:
    document = Document("pipeline.yaml", text, "yaml", kept)
    try:
        return read_yaml(document), document
    except SpecError as error:
        return list(error.findings), document


def check_same(text: str, kept: Kept, known: KnownBlocks) -> None:
    kept.places = None
    values, document = read(text, kept)
    expected, plain = read(text, None)
    assert values == expected
    if isinstance(values, dict):
        wanted = [(), *(route for route, _ in routes(values))]
        assert document.spans(wanted) == plain.spans(wanted)
    assert outline(text, "yaml", known).entries == outline(text, "yaml").entries


@laws(100)
@given(PIPELINES, st.booleans())
def test_blocks_say_what_the_whole_says(
    pipeline: dict[str, Any],
    is_flow: bool,  # noqa: FBT001 - hypothesis decides
) -> None:
    text = to_yaml(pipeline, flow=is_flow)
    assert is_flow or read_blocks(text, {}) is not None
    check_same(text, Kept({}), {})


@laws(100)
@given(PIPELINES, st.data())
def test_what_was_read_before_makes_no_difference(
    pipeline: dict[str, Any], data: st.DataObject
) -> None:
    text = to_yaml(pipeline)
    kept, known = Kept({}), {}
    check_same(text, kept, known)
    for _ in range(3):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 5, len(text))))
        text = text[:start] + data.draw(st.text(max_size=3)) + text[end:]
        check_same(text, kept, known)


@laws(100)
@given(st.lists(st.lists(LINES, max_size=12), min_size=1, max_size=3))
def test_lines_in_any_order_are_read_alike(texts: list[list[str]]) -> None:
    kept, known = Kept({}), {}
    for lines in texts:
        check_same("\n".join(lines), kept, known)
