"""Findings as data for programs: lines and columns instead of routes."""

from collections.abc import Sequence

from pipec.cli.documents import CheckDocument, FoundProblem, Place
from pipec.diagnostics import Finding
from pipec.frontend.document import Document
from pipec.frontend.render import label_ranges


def describe_findings(findings: Sequence[Finding], document: Document) -> CheckDocument:
    """Everything that was found about a file, in the order given."""
    errors = sum(finding.severity == "error" for finding in findings)
    content = document.text.encode()
    return CheckDocument(
        path=document.path,
        errors=errors,
        warnings=len(findings) - errors,
        findings=tuple(
            FoundProblem(
                code=finding.code,
                severity=finding.severity,
                message=finding.message,
                help=finding.help,
                places=tuple(
                    _place(content, span, label.text)
                    for span, label in zip(ranges, finding.labels, strict=False)
                ),
            )
            for finding, ranges in label_ranges(findings, document)
        ),
    )


def _place(content: bytes, span: tuple[int, int], text: str) -> Place:
    line, column = _position(content, span[0])
    end_line, end_column = _position(content, span[1])
    return Place(line=line, column=column, end_line=end_line, end_column=end_column, text=text)


def _position(content: bytes, offset: int) -> tuple[int, int]:
    """Line and column of an offset in bytes, both from 1, the column in characters."""
    start = content.rfind(b"\n", 0, offset) + 1
    column = len(content[start:offset].decode("utf-8", "replace")) + 1
    return content.count(b"\n", 0, offset) + 1, column
