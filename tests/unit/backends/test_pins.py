"""The pins that pipec comes with have their sources written down."""

import re
from pathlib import Path

import pytest

from pipec.backends.github.pins import SHA, SHIPPED
from pipec.backends.github.versions import newest

PAGE = Path(__file__).parents[3] / "docs" / "adr" / "0021-where-the-pins-come-from.md"
ROWS = dict(re.findall(r"^\| ([\w-]+/[\w-]+) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("action", sorted(SHIPPED))
def test_numbers_have_two_sources_or_are_left_out(action: str) -> None:
    pin, sources = SHIPPED[action], ROWS[action]
    has_numbers = {pin.owner_id is not None, pin.repo_id is not None}
    assert len(has_numbers) == 1
    owners = {source.partition("/")[0] for source in sources.split(", ") if "/" in source}
    assert has_numbers == {len(owners) == 2}, sources


def test_no_source_is_of_an_action_that_is_not_shipped() -> None:
    assert ROWS.keys() == SHIPPED.keys()


@pytest.mark.parametrize("action", sorted(SHIPPED))
def test_a_pin_is_a_commit_of_a_whole_version(action: str) -> None:
    pin = SHIPPED[action]
    assert SHA.fullmatch(pin.sha)
    assert newest(["v999.0.0"], since=pin.version, any_major=True) == "v999.0.0"
