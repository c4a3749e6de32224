"""What the core says of patterns alone: which are wrong, and which sets meet."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipec._core import matching, overlaps, pattern_problem
from tests.property.effort import laws
from tests.property.trees import globs
from tests.reference.globs import matches
from tests.unit.core.bench import pattern

NAMES = ["a", "b", "src", "lib", ".x", "a.ts", "b.ts", "é", "a b", "z"]
sets = st.lists(
    st.tuples(st.sampled_from(["", "", "", "!"]), globs).map("".join), min_size=1, max_size=3
)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(tuple)


def selects(rules: list[str], path: tuple[str, ...]) -> bool:
    """The last rule that matches decides."""
    selected = False
    for rule in rules:
        if matches(rule.removeprefix("!"), path):
            selected = not rule.startswith("!")
    return selected


@laws(200)
@given(st.text("ab*?[]!^-\\/{},. é\0", max_size=14) | st.text(max_size=20))
def test_any_text_is_a_pattern_or_has_a_problem_with_a_place(text: str) -> None:
    problem = pattern_problem(text)
    if problem is not None:
        message, start, end = problem
        assert message
        assert 0 <= start <= end <= len(text.encode())
        text.encode()[start:end].decode()


@laws(100)
@given(globs)
def test_patterns_made_of_sound_parts_are_sound(glob: str) -> None:
    assert pattern_problem(glob) is None


@laws(150)
@given(sets, sets, paths)
def test_sets_that_select_one_path_meet_and_what_meets_is_such_a_path(
    one: list[str], other: list[str], path: tuple[str, ...]
) -> None:
    found = overlaps(json.dumps([[pattern(r) for r in one], [pattern(r) for r in other]]))
    for first, second, common in found:
        assert (first, second) == (0, 1)
        assert selects(one, tuple(common.split("/")))
        assert selects(other, tuple(common.split("/")))
    is_plain = not any(rule.startswith("!") for rule in one + other)
    if is_plain and selects(one, path) and selects(other, path):
        assert found


@laws(150)
@given(st.lists(globs, max_size=4), st.lists(paths, max_size=3))
def test_each_pattern_is_asked_about_each_path(
    patterns: list[str], asked: list[tuple[str, ...]]
) -> None:
    found = matching(patterns, ["/".join(path) for path in asked])
    assert found == [
        [index for index, glob in enumerate(patterns) if matches(glob, path)] for path in asked
    ]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "pair",
    [
        ("**/a/" * 30 + "b", "**/a/" * 30 + "c"),
        ("*a" * 60, "*b" * 60),
        ("**/*" * 1 + "/**/*" * 40, "**/x" + "/**/*" * 40),
        ("{a,b}/" * 9 + "x", "{a,b}/" * 9 + "y"),
        ("{" * 300 + "a" + "}" * 300, "a"),
        ("?" * 255, "*" + "?*" * 100),
    ],
    ids=range(6),
)
def test_knotty_patterns_are_compared_in_no_time(pair: tuple[str, str]) -> None:
    overlaps(json.dumps([[{"glob": glob}] for glob in pair]))
