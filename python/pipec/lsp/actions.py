"""Code actions: what a finding suggests or misses, done."""

from collections.abc import Iterator, Sequence

from lsprotocol import types

from pipec.diagnostics import Finding
from pipec.lsp.additions import describe, insert
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
        shown = diagnostic(analysis, target.uri, finding, ranges)
        if not _touch(shown.range, wanted):
            continue
        if finding.replacement is not None:
            text = _spelled(analysis, finding)
            edit = types.TextEdit(shown.range, text)
            yield _action(f"Change it to `{text}`", target, shown, edit, is_preferred=True)
        if finding.addition is None:
            continue
        inserted = insert(analysis, finding.addition)
        if inserted is not None:
            place = analysis.positions.range(inserted[0], inserted[0])
            title = describe(analysis, finding.addition)
            # There may be another way: nobody but the author knows what a task reads.
            yield _action(title, target, shown, types.TextEdit(place, inserted[1]))


def _action(
    title: str,
    target: Versioned,
    shown: types.Diagnostic,
    edit: types.TextEdit,
    *,
    is_preferred: bool = False,
) -> types.CodeAction:
    return types.CodeAction(
        title=title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[shown],
        is_preferred=is_preferred,
        edit=workspace_edit(target, [edit]),
    )


def _spelled(analysis: Analysis, finding: Finding) -> str:
    replacement = finding.replacement
    if isinstance(replacement, str) and finding.labels[0].at == "key":
        return spell_key(replacement, analysis.notation)
    return spell_value(replacement or "", analysis.notation)


def _touch(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end
