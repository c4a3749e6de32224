"""Findings as an editor shows them."""

from collections.abc import Iterator

from lsprotocol import types

from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.frontend.render import Range, label_ranges
from pipec.lsp.analysis import Analysis

SOURCE = "pipec"
_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
}


def diagnose(analysis: Analysis, uri: str) -> list[types.Diagnostic]:
    """Every finding about the text, by place."""
    return [diagnostic(analysis, uri, *placed) for placed in placed_findings(analysis)]


def placed_findings(analysis: Analysis) -> Iterator[tuple[Finding, list[Range]]]:
    """Each finding with the byte ranges of its labels."""
    yield from label_ranges(analysis.findings, analysis.document)


def diagnostic(
    analysis: Analysis, uri: str, finding: Finding, ranges: list[Range]
) -> types.Diagnostic:
    """One finding. What is about the whole file stands on its first line."""
    positions = analysis.positions
    first = ranges[0] if ranges else (0, 0)
    related = [
        types.DiagnosticRelatedInformation(
            types.Location(uri, positions.range(*place)), label.text or finding.message
        )
        for label, place in list(zip(finding.labels, ranges, strict=False))[1:]
    ]
    said = [finding.message]
    if finding.labels and finding.labels[0].text:
        said.append(finding.labels[0].text)
    return types.Diagnostic(
        range=positions.range(*first),
        message="\n".join([*said, *finding.help]),
        severity=_SEVERITIES[finding.severity],
        code=finding.code.value,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if finding.code is Code.UNUSED else None,
        related_information=related or None,
    )
