"""The answer of `pipec why` for people: the files, why they count, who changed them, the lines."""

from collections.abc import Iterator

from pipec.cli.documents import Cause, ChangedFile, WhyDocument
from pipec.cli.records import verdict_words
from pipec.runtime.visible import visible

_SHORT = 10


def render_why(document: WhyDocument, *, with_lines: bool = False) -> str:
    """The answer, then the files with their patterns and commits, then other parts of the key."""
    lines = _lines_of(document, _answer(document), with_lines=with_lines)
    for cause in document.causes:
        head = f"{cause.task} {cause.status}"
        lines += _lines_of(cause, head, with_lines=with_lines)
    lines += [
        f"  {component.name} changed"
        for component in document.components
        if component.name != "inputs" or not document.files
    ]
    return "\n".join(lines) + "\n"


def _lines_of(document: WhyDocument | Cause, head: str, *, with_lines: bool) -> list[str]:
    lines = [head]
    if document.run_id is not None:
        if document.verdict:
            lines.append(f"  {visible(verdict_words(document.verdict))}")
        if document.reason:
            lines.append(f"  {visible(document.reason)}")
    width = max((len(visible(file.path)) for file in document.files), default=0)
    for file in document.files:
        rule = f"  by {visible(file.rule)}" if file.rule else ""
        lines.append(f"  {visible(file.path):<{width}}  {file.change}{rule}")
        lines += [f"    {line}" for line in _history(file)]
        if with_lines and file.diff:
            lines += [f"    {visible(line)}" for line in file.diff.splitlines()]
    return lines


def _answer(document: WhyDocument) -> str:
    if document.run_id is not None:
        return f"{document.task} {document.status} in run {document.run_id}"
    if document.reason:
        return f"{document.task} would run: {document.reason}"
    if document.components or document.files:
        return f"{document.task} would run: its inputs are not those of its last success"
    return f"{document.task} is as it was when it last passed"


def _history(file: ChangedFile) -> Iterator[str]:
    if file.is_committed is False:
        yield "not committed"
    for commit in file.commits or ():
        day = commit.committed_at.partition("T")[0]
        about = f"{visible(commit.subject)} ({visible(commit.author)}, {day})"
        yield f"{commit.commit[:_SHORT]} {about}"
    if file.before and file.now and file.is_committed:
        yield f"git diff {file.before[:_SHORT]} {file.now[:_SHORT]}"
