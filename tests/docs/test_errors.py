"""Every code has a page, every page shows its code, and every page is run."""

import re
from pathlib import Path

import pytest

from pipec.codes import Code
from tests.docs.runner import Session, check_page, read_blocks

PAGES = Path(__file__).parents[2] / "docs" / "errors"


def test_the_codes_and_the_pages_are_the_same_set() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {code.value for code in Code}


@pytest.mark.parametrize("code", list(Code))
def test_a_page_shows_its_code(code: Code) -> None:
    page = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert re.match(rf"# {code}\n\n\S.*?\n\n", page, re.DOTALL)
    assert "\n## Example\n" in page
    sessions = [block for block in read_blocks(page) if isinstance(block, Session)]
    assert any(code.value in session.text for session in sessions)


@pytest.mark.parametrize("code", list(Code))
def test_a_page_prints_what_it_says(code: Code, tmp_path: Path) -> None:
    check_page(PAGES / f"{code}.md", tmp_path)
