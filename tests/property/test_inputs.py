"""The engine's inputs are those that a slow look at every file finds."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.effort import laws
from tests.property.trees import Tree, plant, rule_lists, trees
from tests.reference.blake3 import blake3
from tests.reference.inputs import Selection, look
from tests.unit.core.bench import Bench, pattern, task

counter = itertools.count()


@pytest.fixture
def folder(tmp_path: Path):
    """Makes a new folder for each example."""

    def make() -> Path:
        made = tmp_path / str(next(counter))
        made.mkdir()
        return made

    return make


def expected(
    root: Path, rules: list[str], outputs: list[str], named: dict[str, list[str]]
) -> dict[bytes, str]:
    selection = Selection(
        [pattern(rule) for rule in rules],
        {name: [pattern(rule) for rule in group] for name, group in named.items()},
        [pattern(rule) for rule in outputs],
    )
    return {
        path: "" if seen.kind == "missing" else blake3(seen.contents)
        for path, seen in look(root, selection).items()
    }


groups = st.fixed_dictionaries(
    {"one": rule_lists(max_size=3), "two": rule_lists(groups=("one",), max_size=3)}
)


@laws(60)
@given(
    trees, rule_lists(groups=("one", "two"), min_size=1, max_size=4), rule_lists(max_size=2), groups
)
def test_inputs_are_those_that_a_look_at_every_file_finds(
    folder, tree: Tree, rules: list[str], outputs: list[str], named: dict[str, list[str]]
) -> None:
    root = folder()
    plant(root, tree)
    bench = Bench(root, {"t": task(rules, outputs)}, named)
    assert bench.inputs() == expected(root, rules, outputs, named)
