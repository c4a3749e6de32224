"""Laws of reading YAML by blocks: it is the same as reading all of it, whatever came before."""

from collections.abc import Sequence
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from pipec import ir
from pipec.diagnostics import Finding
from pipec.errors import SpecError
from pipec.frontend.document import Document, Kept
from pipec.frontend.load import load_document
from pipec.frontend.lower.known_tasks import KnownTasks
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
            "# \x1f",
            "tasks: # \x1f",
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


OUTCOME = tuple[bytes, Sequence[Finding]]


def judged(text: str, kept: Kept | None) -> OUTCOME:
    """The pipeline, if there is one, and all that is said."""
    try:
        loaded = load_document(Document("pipeline.yaml", text, "yaml", kept))
    except SpecError as error:
        return b"", error.findings
    return ir.encode(loaded.pipeline), loaded.warnings


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "depends-on": st.lists(st.sampled_from(["a", "b", "g", "g.c", "nope", "s:x"]), max_size=2),
    "inputs": st.lists(
        st.sampled_from(["n", "!n", "src", "[", {"outputs-of": "a"}, {"env": "X"}]), max_size=2
    ),
    "outputs": st.just(["out/**"]),
    "cache": st.sampled_from([True, 1, "team", "file:local"]),
    "retry": st.sampled_from([True, 1, 2]),
    "matrix": st.sampled_from([{"os": ["x", "y"]}, {"os": [1]}]),
    "pool": st.just("db"),
    "run": st.sampled_from(["x", 3, [{"call": "m:f", "with": {"x": 1}}]]),
}
TASKS = st.dictionaries(st.sampled_from(sorted(FIELDS)), st.none(), max_size=2).flatmap(
    lambda keys: st.fixed_dictionaries({key: FIELDS[key] for key in keys})
)
PARTS: dict[str, tuple[Any, ...]] = {
    "named-inputs": ({"n": ["src"]}, {"n": [{"outputs-of": "gone"}]}, {"n": [{"outputs-of": "a"}]}),
    "task-defaults": ({"*": {"retry": 2}}, {"a": {"run": "y"}}),
    "cache": ("file:local", "memory"),
    "env-mode": ("strict", "loose", "lose"),
    "sources": ({"s": {"path": "../s"}},),
    "pools": ({"db": 1},),
    "jobs": ({"j": {"target": "b"}}, {"j": {}}),
}
# A task, or a part of the file, that is written anew; None takes it out.
CHANGES = st.one_of(
    st.tuples(st.sampled_from(["a", "b", "c"]), TASKS | st.none()),
    st.tuples(st.just("g"), st.dictionaries(st.sampled_from(["c", "default", "a"]), TASKS)),
    st.sampled_from([(key, value) for key, values in PARTS.items() for value in (*values, None)]),
)
TASKS_BEFORE = {
    "a": {"run": "x"},
    "b": {"run": "y", "depends-on": ["a"]},
    "c": {"run": "z", "inputs": ["n", "src"]},
    "d": {"run": "z", "inputs": ["n"], "cache": True},
}


@laws(150)
@given(st.lists(CHANGES, min_size=2, max_size=6))
@example([("named-inputs", {"n": [{"outputs-of": "gone"}]}), ("c", {"run": "x"})])
def test_what_was_judged_before_makes_no_difference(changes: list[tuple[str, Any]]) -> None:
    kept = Kept({}, KnownTasks())
    parts: dict[str, Any] = {"name": "app"}
    tasks: dict[str, Any] = dict(TASKS_BEFORE)
    for key, value in [("name", "app"), *changes]:
        table = tasks if key in {"a", "b", "c", "g"} else parts
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
        text = to_yaml({**parts, "tasks": tasks})
        kept.places = None
        assert judged(text, kept) == judged(text, None)
