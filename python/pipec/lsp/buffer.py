"""An open file as its editor has it, saved or not."""

from collections.abc import Sequence

from lsprotocol import types

from pipec.lsp.analysis import Memory
from pipec.lsp.positions import Positions


class Buffer:
    """The text of an open file, its version in the editor's count, and what versions share."""

    def __init__(self, item: types.TextDocumentItem, encoding: str) -> None:
        self.uri = item.uri
        self.language = item.language_id
        self.version = item.version
        self.memory = Memory()
        self.positions = Positions(_content(item.text), encoding)

    def change(self, version: int, changes: Sequence[types.TextDocumentContentChangeEvent]) -> None:
        """Applies changes, one after the other. Whatever their ranges, there is a text after."""
        for change in changes:
            content = _content(change.text)
            if isinstance(change, types.TextDocumentContentChangePartial):
                at = sorted(
                    self.positions.offset(place) for place in (change.range.start, change.range.end)
                )
                before = self.positions.content
                content = before[: at[0]] + content + before[at[1] :]
            self.positions = Positions(content, self.positions.encoding)
        self.version = version


def _content(text: str) -> bytes:
    """The text in UTF-8; half characters, which JSON can spell, are replaced."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.encode()
