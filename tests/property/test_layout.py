"""Laws of the canonical layout: nothing that the file says changes, and twice is once."""

import random
from functools import reduce
from operator import getitem
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipec import ir
from pipec.codes import Code
from pipec.diagnostics import Route
from pipec.errors import PipecError, SpecError
from pipec.frontend.document import Document
from pipec.frontend.layout.canonical import canonical_toml
from pipec.frontend.layout.order import misplaced_keys
from pipec.frontend.layout.values import COLUMNS, lay_out
from pipec.frontend.load import load_document
from pipec.frontend.read import read_values
from tests.property.effort import laws
from tests.property.pipelines import PIPELINES, shuffled, to_toml
from tests.property.toml_documents import DOCUMENTS, VALUES


def document(text: str) -> Document:
    return Document("pipeline.toml", text, "toml")


def laid_out(text: str) -> str:
    file = document(text)
    return canonical_toml(file, read_values(file))


def laid_out_or_refused(text: str) -> str | None:
    """The layout, None if this is no TOML or, some of 1.1, none that tomlkit knows.

    That it says the same is what `canonical_toml` has made sure of itself.
    """
    try:
        return laid_out(text)
    except PipecError as error:
        if isinstance(error, SpecError) or error.code is Code.NOT_SUPPORTED:
            return None
        raise


def commented(text: str, source: random.Random) -> str:
    """The text with comments and blank lines at random, each comment another."""
    lines = []
    for number, line in enumerate(text.splitlines()):
        lines += source.choice(
            [[], [], [""], [f"# over {number}"], ["", f"  # about {number}", ""]]
        )
        lines.append(source.choice([line, line, f"{line} # beside {number}"]))
    return "\n".join([*lines, *source.choice([[], ["# end"], ["", "# end", "", ""]])]) + "\n"


def comments(text: str) -> list[str]:
    """The comments of a text in which no string looks like one of ours."""
    marks = ("# over ", "# about ", "# beside ", "# end")
    return sorted(
        line[line.index(mark) :].rstrip()
        for line in text.splitlines()
        for mark in marks
        if mark in line
    )


@given(PIPELINES, st.booleans(), st.randoms(use_true_random=False))
@laws(60)
def test_a_layout_changes_nothing_and_is_made_once(
    pipeline: dict[str, Any],
    headings: bool,  # noqa: FBT001 - hypothesis gives it
    source: random.Random,
) -> None:
    written = commented(to_toml(shuffled(pipeline, source), headings=headings), source)
    result = laid_out(written)
    before, after = load_document(document(written)), load_document(document(result))
    assert ir.encode(after.pipeline) == ir.encode(before.pipeline)
    assert comments(result) == comments(written)
    assert laid_out(result) == result
    assert "\n\n\n" not in result


@given(PIPELINES, st.randoms(use_true_random=False))
@laws(30)
def test_the_order_of_keys_is_that_of_the_language(
    pipeline: dict[str, Any], source: random.Random
) -> None:
    values = read_values(document(laid_out(to_toml(shuffled(pipeline, source), headings=True))))

    def is_table(route: Route) -> bool:
        return isinstance(reduce(getitem, route, values), dict)

    # In TOML the tables of a table come after its other keys, wherever they belong.
    wrong = [
        (route, above)
        for route, above in misplaced_keys(values)
        if is_table(route) == is_table((*route[:-1], above))
    ]
    assert wrong == []


@given(DOCUMENTS)
@laws(150)
def test_any_toml_says_the_same_afterwards(text: str) -> None:
    result = laid_out_or_refused(text)
    if result is not None:
        assert laid_out(result) == result


@given(VALUES)
@laws(150)
def test_the_layout_of_a_value_is_final(value: str) -> None:
    once = lay_out(value, prefix="key = ")
    assert lay_out(once, prefix="key = ") == once


@given(st.lists(st.integers(0, 10**9), max_size=30))
@laws(30)
def test_an_array_is_broken_where_its_line_would_be_too_long(items: list[int]) -> None:
    flat = f"[{', '.join(map(str, items))}]"
    result = lay_out(flat, prefix="key = ")
    assert ("\n" in result) == (len(f"key = {flat}") > COLUMNS)
    assert result.count("\n") in (0, len(items) + 1)
