"""Edits of an open file, in the form that its editor understands."""

from collections.abc import Sequence
from dataclasses import dataclass

from lsprotocol import types


@dataclass(frozen=True, slots=True)
class Versioned:
    """A version of an open file. `takes_versions`: the editor can check that it is still this."""

    uri: str
    version: int | None
    takes_versions: bool


def workspace_edit(target: Versioned, edits: Sequence[types.TextEdit]) -> types.WorkspaceEdit:
    """An edit of one file; where the editor can, it refuses to apply it to another version."""
    if not target.takes_versions:
        return types.WorkspaceEdit(changes={target.uri: list(edits)})
    document = types.OptionalVersionedTextDocumentIdentifier(target.uri, target.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, list(edits))])
