"""Code actions: what a finding suggests, done."""

from collections.abc import Iterator, Sequence

from lsprotocol import types

from pipec.diagnostics import Finding
from pipec.lsp.analysis import Analysis
from pipec.lsp.diagnostics import diagnostic, placed_findings
from pipec.lsp.edits import Versioned, workspace_edit
from pipec.lsp.spelling import spell_key, spell_value


def offer_actions(
    analysis: Analysis, target: Versioned, params: types.CodeActionParams
) -> Sequence[types.CodeAction]:
    """The suggestions of the findings that touch a range."""
    only = params.context.only
    if only and not any(_covers(kind) for kind in only):
        return ()
    return list(_fixes(analysis, target, params.range))


def _covers(kind: types.CodeActionKind | str) -> bool:
    return str(getattr(kind, "value", kind)) in {"", types.CodeActionKind.QuickFix.value}


def _fixes(
    analysis: Analysis, target: Versioned, wanted: types.Range
) -> Iterator[types.CodeAction]:
    for finding, ranges in placed_findings(analysis):
        if finding.replacement is None or not ranges:
            continue
        shown = diagnostic(analysis, target.uri, finding, ranges)
        if not _touch(shown.range, wanted):
            continue
        text = _spelled(analysis, finding)
        edit = types.TextEdit(shown.range, text)
        yield types.CodeAction(
            title=f"Change it to `{text}`",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            is_preferred=True,
            edit=workspace_edit(target, [edit]),
        )


def _spelled(analysis: Analysis, finding: Finding) -> str:
    replacement = finding.replacement
    if isinstance(replacement, str) and finding.labels[0].at == "key":
        return spell_key(replacement, analysis.notation)
    return spell_value(replacement or "", analysis.notation)


def _touch(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end
