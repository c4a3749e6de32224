"""The difference of two pipelines for the terminal."""

from collections.abc import Iterator

from pipec.cli.console import Console
from pipec.cli.differences import (
    DiffDocument,
    Line,
    by_heading,
    key_summary,
    side_name,
)
from pipec.cli.report.words import plural

_STYLES = {"+": "green", "-": "red", "~": "yellow", ">": "cyan"}


def render_text(document: DiffDocument, console: Console) -> str:
    """Headings, a line a change, then the keys."""
    return "\n".join(_lines(document, console)) + "\n"


def _lines(document: DiffDocument, console: Console) -> Iterator[str]:
    sides = f"{side_name(document.before)} → {side_name(document.after)}"
    if not document.changes:
        yield f"{sides}: no difference"
        return
    yield f"{sides}: {plural(len(document.changes), 'change')}"
    for heading, lines in by_heading(document.changes):
        yield f"\n{console.style(heading, 'bold')}"
        for line in lines:
            yield f"  {console.style(line.sign, _STYLES[line.sign])} {_told(line)}"
    if document.keys:
        yield f"\n{console.style('Keys', 'bold')}"
        width = max(len(key.task) for key in document.keys)
        for key in document.keys:
            yield f"  {key.task:<{width}}  {key_summary(key)}"


def _told(line: Line) -> str:
    if line.sign == ">":
        return f"{line.whose} (was {line.before})"
    values = f"{line.before} → {line.after}" if line.sign == "~" else line.before or line.after
    told = f"{line.what} {values}".strip()
    return f"{line.whose}: {told}" if told else line.whose
