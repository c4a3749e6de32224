"""The difference of two pipelines for the terminal."""

from collections.abc import Callable, Iterator

from pipec.cli.differences import (
    DiffDocument,
    Line,
    by_heading,
    key_summary,
    side_name,
)
from pipec.cli.report.words import plural

_STYLES = {"+": "green", "-": "red", "~": "yellow", ">": "cyan"}


Style = Callable[[str, str], str]
"""Gives a text the look of this name, or leaves it as it is."""


def render_text(document: DiffDocument, style: Style) -> str:
    """Headings, a line a change, then the keys."""
    return "\n".join(_lines(document, style)) + "\n"


def _lines(document: DiffDocument, style: Style) -> Iterator[str]:
    sides = f"{side_name(document.before)} → {side_name(document.after)}"
    if not document.changes:
        yield f"{sides}: no difference"
        return
    yield f"{sides}: {plural(len(document.changes), 'change')}"
    for heading, lines in by_heading(document.changes):
        yield f"\n{style(heading, 'bold')}"
        for line in lines:
            yield f"  {style(line.sign, _STYLES[line.sign])} {_told(line)}"
    if document.keys:
        yield f"\n{style('Keys', 'bold')}"
        width = max(len(key.task) for key in document.keys)
        for key in document.keys:
            yield f"  {key.task:<{width}}  {key_summary(key)}"


def _told(line: Line) -> str:
    if line.sign == ">":
        return f"{line.whose} (was {line.before})"
    values = f"{line.before} → {line.after}" if line.sign == "~" else line.before or line.after
    told = f"{line.what} {values}".strip()
    return f"{line.whose}: {told}" if told else line.whose
