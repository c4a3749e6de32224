"""Findings as people read them: with the lines of the file that they are about."""

import json
from collections.abc import Sequence
from typing import Any

from pipec import _core
from pipec.diagnostics import Finding, Label
from pipec.frontend.document import Document

_MOST = 100
"""How many findings are printed; the others are counted."""

Range = tuple[int, int]


def render(findings: Sequence[Finding], document: object | None, *, color: bool) -> str:
    """The findings as text, each with the lines that it is about and where to learn more."""
    shown = findings[:_MOST]
    if isinstance(document, Document):
        text = _core.render_findings(
            document.path,
            document.text,
            json.dumps([_for_core(*pair) for pair in label_ranges(shown, document)]),
            color=color,
        ).rstrip("\n")
    else:
        text = "\n\n".join(_render_bare(finding, color=color) for finding in shown)
    parts = [text]
    if len(findings) > _MOST:
        parts.append(f"{len(findings) - _MOST:,} more findings are not shown")
    return "\n".join(parts) + "\n"


def label_ranges(
    findings: Sequence[Finding], document: Document
) -> list[tuple[Finding, list[Range]]]:
    """Each finding with the byte ranges of its labels, all looked up in one pass over the text.

    A label whose route the text does not have points at the nearest key around it.
    """
    labels = [label for finding in findings for label in finding.labels]
    # The empty route is the whole text: no label points there.
    routes = {label.route[:length] for label in labels for length in range(1, len(label.route) + 1)}
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
