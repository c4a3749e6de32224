"""The difference of two pipelines for a pull request: a table that a reviewer can read."""

import re
from collections.abc import Iterator

from pipec.cli.differences import DiffDocument, Line, by_heading, key_summary, side_name
from pipec.cli.report.words import plural

_VERBS = {"+": "added", "-": "removed", "~": "changed", ">": "renamed"}
_FIRST = ("Permissions", "Secrets")


def render_markdown(document: DiffDocument) -> str:
    """A heading, a table of the changes and one of the keys."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: DiffDocument) -> Iterator[str]:
    yield "### Pipeline changes\n"
    sides = f"{_code(side_name(document.before))} → {_code(side_name(document.after))}"
    if not document.changes:
        yield f"{sides}: no difference in meaning."
        return
    yield f"{sides}: {plural(len(document.changes), 'change')}.\n"
    yield "| | | What | Before | After |"
    yield "| --- | --- | --- | --- | --- |"
    for heading, lines in by_heading(document.changes):
        about = f"**{heading}**" if heading in _FIRST else heading
        for line in lines:
            yield f"| {about} | {_VERBS[line.sign]} | {_what(line)} | {_values(line)} |"
    if document.keys:
        yield "\n| Task | Its key |\n| --- | --- |"
        for key in document.keys:
            yield f"| {_code(key.task)} | {key_summary(key)} |"


def _what(line: Line) -> str:
    return f"{_code(line.whose)} {_code(line.what)}".strip()


def _values(line: Line) -> str:
    return f"{_code(line.before)} | {_code(line.after)}"


def _code(text: str) -> str:
    """A code span in a cell: nothing in it is markup, a link or somebody's name."""
    if not text:
        return ""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if text[0] in "` " or text[-1] in "` " else ""
    escaped = re.sub(r"(\\*)\|", _escaped_bar, text)
    return f"{fence}{padding}{escaped}{padding}{fence}"


def _escaped_bar(found: re.Match[str]) -> str:
    """In a table even code has to escape the bar; backslashes before it have to come in pairs."""
    backslashes = found[1]
    return backslashes + "\\" * (len(backslashes) % 2) + "\\|"
