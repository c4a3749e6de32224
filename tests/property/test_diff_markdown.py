"""A table of changes has its columns and its words whatever the pipeline says."""

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipec.cli.differences import ComparedSide, DiffDocument
from pipec.cli.report.diff_markdown import render_markdown
from pipec.plan.change import Change
from pipec.runtime.visible import visible
from tests.property.effort import laws

TEXTS = st.text(st.sampled_from("|\\`*_<>&[]()!@#a \n\t\x1b\u202e😀-"), min_size=1, max_size=12)
COLUMNS = 5


def cells(page: str) -> list[list[str]]:
    """The rows of the tables of a page, each cell as the text that a reader sees."""
    rows: list[list[str]] = []
    for token in MarkdownIt().enable("table").parse(page):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            children = token.children or []
            assert {child.type for child in children} <= {
                "code_inline", "text", "strong_open", "strong_close",
            }  # fmt: skip
            rows[-1].append("".join(child.content for child in children))
    return rows[1:]


@laws(60)
@given(TEXTS, TEXTS)
def test_a_cell_holds_its_text(before: str, after: str) -> None:
    change = Change(
        aspect="other",
        action="changed",
        place=("tasks", "build", "description"),
        before=before,
        after=after,
    )
    document = DiffDocument(
        before=ComparedSide(path="pipeline.toml", revision="HEAD", commit="0"),
        after=ComparedSide(path="pipeline.toml"),
        changes=(change,),
        keys=(),
    )
    (row,) = cells(render_markdown(document))
    assert len(row) == COLUMNS
    for cell, text in zip(row[3:], (before, after), strict=True):
        shown = visible(text)
        # Readers of Markdown do not agree on backslashes before a bar: there may be more of them.
        if "\\|" not in shown:
            assert cell.strip() == shown.strip()
