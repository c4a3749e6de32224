"""The read-me and the guides are run, their links lead somewhere, and no page is left out."""

import re
from pathlib import Path

import pytest

from tests.docs.runner import check_page

ROOT = Path(__file__).parents[2]
PROSE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = [
    path
    for path in PROSE
    if path.parent.name != "errors" and "```console" in path.read_text(encoding="utf-8")
]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", RUN, ids=name)
def test_a_page_prints_what_it_says(page: Path, tmp_path: Path) -> None:
    check_page(page, tmp_path)


@pytest.mark.parametrize("page", PROSE, ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_table_of_contents_leads_to_every_page() -> None:
    docs = ROOT / "docs"
    contents = (docs / "README.md").read_text(encoding="utf-8")
    linked = [docs / link for link in LINK.findall(contents)]
    pages = [path for path in docs.glob("*/*.md") if path.parent.name != "errors"]
    assert [path for path in pages if path not in linked] == []


def test_decisions_are_counted_without_a_gap() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "adr").iterdir())
    assert [name[:5] for name in names] == [f"{number:04}-" for number in range(1, len(names) + 1)]
