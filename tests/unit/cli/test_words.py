"""How the terminal spells things."""

import pytest

from pipec.cli.report.words import plural, size
from pipec.runtime.visible import visible


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536 * 1024, "1.5 MiB"),
        (2**60, "1048576.0 TiB"),
    ],
)
def test_a_size_has_the_unit_that_keeps_it_short(count, text):
    assert size(count) == text


def test_one_is_singular():
    assert [plural(n, "cache entry") for n in (0, 1, 2)] == [
        "0 cache entries",
        "1 cache entry",
        "2 cache entries",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("src/é 😀.ts", "src/é 😀.ts"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("\udcff.ts", "\\xff.ts"),
        ("\ud800", "\\ud800"),
    ],
)
def test_a_name_obeys_no_terminal(text, shown):
    assert visible(text) == shown
