"""Findings as people and programs read them: rendered text, or places in lines and columns."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipec import _core
from pipec.diagnostics import Finding, Label
from pipec.frontend.document import Document

_MOST = 100
"""How many findings are printed; the others are counted."""

Range = tuple[int, int]


def render(findings: Sequence[Finding], document: object | None, *, color: bool) -> str:
    """The findings as text, with the lines that they are about, and how to learn more at the end."""
    shown = findings[:_MOST]
    if isinstance(document, Document):
        text = _core.render_findings(
            document.path,
            document.text,
            json.dumps([_for_core(*pair) for pair in _with_places(shown, document)]),
            color=color,
        ).rstrip("\n")
    else:
        text = "\n\n".join(_render_bare(finding, color=color) for finding in shown)
    parts = [text]
    if len(findings) > _MOST:
        parts.append(f"{len(findings) - _MOST:,} more findings are not shown")
    return "\n".join(parts) + "\n"


def to_json(findings: Sequence[Finding], document: object | None) -> list[dict[str, Any]]:
    """The findings for programs: `line` and `column` count from 1, a column is a character.

    `end_line` and `end_column` stand behind the last character. A finding without a place has none
    of the four.
    """
    if not isinstance(document, Document):
        return [_plain(finding) for finding in findings]
    lines = _Lines(document.text)
    return [
        {
            **_plain(finding),
            "file": document.path,
            **(lines.between(ranges[0]) if ranges else {}),
            "related": [
                {"text": label.text, "file": document.path, **lines.between(place)}
                for label, place in zip(finding.labels[1:], ranges[1:], strict=False)
            ],
        }
        for finding, ranges in _with_places(findings, document)
    ]


def _plain(finding: Finding) -> dict[str, Any]:
    label = finding.labels[0].text if finding.labels else ""
    return {
        "code": finding.code.value,
        "severity": finding.severity,
        "message": finding.message,
        "label": label,
        "help": list(finding.help),
    }


def _with_places(
    findings: Sequence[Finding], document: Document
) -> list[tuple[Finding, list[Range]]]:
    """Each finding with the byte range of each of its labels; a label without a place points at the
    nearest table around it that has one."""
    labels = [label for finding in findings for label in finding.labels]
    routes = {label.route[:length] for label in labels for length in range(len(label.route) + 1)}
    ordered = sorted(routes, key=repr)
    spans = dict(zip(ordered, document.spans(ordered), strict=True))

    def place(label: Label) -> Range | None:
        if label.span is not None:
            return label.span
        for length in range(len(label.route), 0, -1):
            span = spans[label.route[:length]]
            if span is not None:
                at_key = label.at == "key" or length < len(label.route)
                return span[:2] if at_key else span[2:]
        return None

    placed = []
    for finding in findings:
        ranges = [place(label) for label in finding.labels]
        placed.append((finding, [found for found in ranges if found is not None]))
    return placed


def _for_core(finding: Finding, ranges: Sequence[Range]) -> dict[str, Any]:
    return {
        "level": finding.severity,
        "code": finding.code.value,
        "message": finding.message,
        "labels": [
            {"start": start, "end": end, "text": label.text, "primary": index == 0}
            for index, (label, (start, end)) in enumerate(zip(finding.labels, ranges, strict=False))
        ],
        "help": [*finding.help, f"pipec explain {finding.code}"],
    }


def _render_bare(finding: Finding, *, color: bool) -> str:
    head = f"{finding.severity}[{finding.code}]"
    if color:
        tint = "31" if finding.severity == "error" else "33"
        head = f"\x1b[1;{tint}m{head}\x1b[0m"
    advice = (*finding.help, f"pipec explain {finding.code}")
    return "\n".join([f"{head}: {finding.message}", *(f"help: {text}" for text in advice)])


@dataclass(slots=True)
class _Lines:
    """Lines and columns of a text for offsets in its UTF-8."""

    text: str

    def between(self, place: Range) -> dict[str, int]:
        encoded = self.text.encode()
        line, column = _position(encoded, place[0])
        end_line, end_column = _position(encoded, place[1])
        return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _position(encoded: bytes, offset: int) -> tuple[int, int]:
    line = encoded.count(b"\n", 0, offset) + 1
    begin = encoded.rfind(b"\n", 0, offset) + 1
    return line, len(encoded[begin:offset].decode(errors="replace")) + 1
