"""Laws of the outline: it agrees with the readers where they can read, and never gives up."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipec.diagnostics import Route
from pipec.frontend.byte_offsets import ByteOffsets
from pipec.frontend.discover import Notation
from pipec.frontend.document import Document
from pipec.frontend.outline.outline import cursors, outline
from tests.property.pipelines import PIPELINES, to_toml, to_yaml


def routes(value: Any, route: Route = ()) -> Iterator[tuple[Route, Any]]:
    """Every key and item of a document, with its value."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield (*route, key), member
        if isinstance(member, (dict, list)):
            yield from routes(member, (*route, key))


@given(PIPELINES, st.booleans())
def test_an_outline_places_everything_where_the_readers_do(
    pipeline: dict[str, Any],
    is_long: bool,  # noqa: FBT001 - hypothesis decides
) -> None:
    for notation, text in (
        ("toml", to_toml(pipeline, headings=is_long)),
        ("yaml", to_yaml(pipeline, flow=not is_long)),
    ):
        document = Document("pipeline", text, notation)  # type: ignore[arg-type]
        outlined = outline(text, document.notation)
        expected = dict(routes(pipeline))
        assert {entry.route for entry in outlined.entries} == set(expected)
        places = document.spans(list(expected))
        for (route, value), place in zip(expected.items(), places, strict=True):
            entries = outlined.at(route)
            assert place is not None
            if isinstance(value, str):
                assert [entry.text for entry in entries] == [value]
            if not isinstance(value, dict):
                assert [(*entry.key, *entry.value) for entry in entries] == [place]
            else:
                assert place[:2] in [entry.key for entry in entries]


@given(PIPELINES, st.sampled_from(["toml", "yaml"]), st.data())
def test_a_text_cut_anywhere_still_has_its_names_and_a_cursor(
    pipeline: dict[str, Any], notation: Notation, data: st.DataObject
) -> None:
    text = to_toml(pipeline, headings=True) if notation == "toml" else to_yaml(pipeline)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 20, len(text))))
    broken = text[:start] + text[end:]
    outlined = outline(broken, notation)
    size = len(broken.encode())
    for entry in outlined.entries:
        for place in (entry.key, entry.value):
            assert 0 <= place[0] <= place[1] <= size
    offsets = ByteOffsets(broken)
    for cursor in cursors(broken, notation, offsets.at(start), outlined):
        assert 0 <= cursor.start <= offsets.at(start)


@given(st.text(max_size=40), st.integers(0, 40))
def test_offsets_lead_there_and_back(text: str, index: int) -> None:
    index = min(index, len(text))
    offset = ByteOffsets(text).at(index)
    assert offset == len(text[:index].encode())
    assert ByteOffsets(text).index(offset) == index
