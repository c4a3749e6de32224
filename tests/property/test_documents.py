"""What the core says about TOML documents, held against what tomli says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import tomli
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipec._core import render_findings, toml_errors, toml_spans
from tests.property.toml_documents import DOCUMENTS, damaged_documents

Route = tuple[str | int, ...]

laws = settings(max_examples=60, deadline=None)


def parse(text: str) -> dict[str, Any] | None:
    """The document, or None if it is none."""
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError:
        return None


def routes_of(value: Any, route: Route = ()) -> Iterator[tuple[Route, Any]]:
    """Every place in a document below its top, and what is there."""
    if route:
        yield route, value
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from routes_of(item, (*route, key))


def places(text: str, routes: list[Route]) -> list[tuple[str, str] | None]:
    """What the text holds at the keys and the values of such routes."""
    data = text.encode()
    return [
        found and (data[found[0] : found[1]].decode(), data[found[2] : found[3]].decode())
        for found in toml_spans(text, json.dumps(routes))
    ]


@laws
@given(DOCUMENTS | damaged_documents())
@example("")
@example("a = [\n")
@example("a = 1\n[a.b]\n")
def test_a_document_has_errors_exactly_if_it_cannot_be_parsed(text: str) -> None:
    errors = toml_errors(text)
    assert bool(errors) == (parse(text) is None)
    length = len(text.encode())
    assert all(0 <= start <= end <= length for _, start, end in errors)
    assert errors == sorted(errors, key=lambda error: error[1])


@pytest.mark.parametrize(
    "text", ["a = 0000-01-01", "a = 07:32:60", "a = 1979-05-27T07:32:60Z", "\ufeffa = 1"]
)
def test_only_what_python_has_no_value_for_is_refused_by_tomli_alone(text: str) -> None:
    assert parse(text) is None
    assert toml_errors(text) == []


@laws
@given(DOCUMENTS)
@example("[a.b.c]\nx = 1\n[a]\ny = 2\n[a.b]\nz = 3\n")
@example("[[a]]\nb.c = [{d = 1}, {'e f'.g = [1, [2]]}]\n[a.h]\n[[a]]\n[[a.b]]\nc = 4\n")
@example('"é漢" = "ü"\nb = """\ntwo\nlines"""\n')
def test_every_value_has_the_place_where_it_is_written(text: str) -> None:
    document = parse(text)
    if document is None:
        return
    values = dict(routes_of(document))
    for route, found in zip(values, places(text, list(values)), strict=True):
        assert found is not None
        key, written = found
        if isinstance(route[-1], str):
            assert tomli.loads(f"{key} = 1") == {route[-1]: 1}
        else:
            assert key == written
        value = values[route]
        inline = parse(f"x = {written}")
        # NaN is not equal to itself, but written the same.
        if inline is None or repr(inline["x"]) != repr(value):
            # Made by headers or dotted keys: the place is the header's, or the key's.
            assert isinstance(value, dict) or isinstance(value[0], dict)
            names = [name for name in route if isinstance(name, str)]
            assert written == key or header_of(written) == names


def header_of(line: str) -> list[str]:
    """The keys of the header of a table or of a list of tables."""
    assert line.startswith("[")
    table: Any = tomli.loads(line)
    names = []
    while table:
        [(name, table)] = table.items()
        names.append(name)
        table = table[0] if isinstance(table, list) else table
    return names


@laws
@given(DOCUMENTS, st.lists(st.text(max_size=3) | st.integers(0, 9), min_size=1, max_size=3))
def test_a_route_beyond_the_document_leads_to_its_nearest_part(
    text: str, beyond: list[str | int]
) -> None:
    document = parse(text)
    if document is None:
        return
    known = dict(routes_of(document))
    missing = [(*route, "no such key", *beyond) for route in [(), *known]]
    expected = [None, *toml_spans(text, json.dumps(list(known)))]
    assert toml_spans(text, json.dumps(missing)) == expected


@laws
@given(
    text=DOCUMENTS | damaged_documents() | st.text(st.characters(codec="utf-8"), max_size=30),
    labels=st.lists(st.tuples(st.integers(), st.integers(), st.text(max_size=5)), max_size=3),
    message=st.text(max_size=10),
    color=st.booleans(),
)
def test_every_finding_can_be_shown(
    *, text: str, labels: list[tuple[int, int, str]], message: str, color: bool
) -> None:
    finding = {
        "level": "error",
        "code": "PIPEC_CODE",
        "message": message,
        "labels": [
            {"start": start, "end": end, "text": label, "primary": index == 0}
            for index, (start, end, label) in enumerate(labels)
        ],
        "help": [message],
    }
    output = render_findings("pipeline.toml", text, json.dumps([finding]), color=color)
    assert "PIPEC_CODE" in output
    assert "pipeline.toml" in output
    assert output.endswith("\n")
    assert color or "\x1b" not in output


@pytest.mark.parametrize(
    "call",
    [
        lambda: toml_spans("", "nonsense"),
        lambda: toml_spans("", "[1]"),
        lambda: render_findings("p", "", "[{}]", color=False),
    ],
)
def test_json_of_another_shape_is_a_value_error(call: Any) -> None:
    with pytest.raises(ValueError, match="line 1"):
        call()
