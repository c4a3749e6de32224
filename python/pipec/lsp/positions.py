"""Positions as editors count them, and byte offsets as pipec counts them."""

import re
from bisect import bisect_right

from lsprotocol import types

_LINE_END = re.compile(rb"\r\n|\n|\r")
_UNITS = {
    types.PositionEncodingKind.Utf8: ("utf-8", 1),
    types.PositionEncodingKind.Utf16: ("utf-16-le", 2),
    types.PositionEncodingKind.Utf32: ("utf-32-le", 4),
}
"""How a line is encoded to count its units, and the bytes of a unit."""


class Positions:
    """The lines of one text, counted in the units that client and server have agreed on."""

    def __init__(self, content: bytes, encoding: str, *, without: bytes = b"") -> None:
        """`content` is the text in UTF-8, `without` what the editor has before it on its line."""
        self.content = content
        self.encoding = encoding
        self._codec, self._size = _UNITS[types.PositionEncodingKind(encoding)]
        self._before = len(without.decode().encode(self._codec)) // self._size
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(content))]

    @property
    def lines(self) -> int:
        """How many lines there are; a text that ends with a line end has an empty one after it."""
        return len(self._starts)

    def offset(self, position: types.Position) -> int:
        """The byte offset of a position; what is beyond a line or the text is at its end."""
        if position.line >= len(self._starts):
            return len(self.content)
        start, end = self._line(position.line)
        units = self.content[start:end].decode().encode(self._codec)
        count = max(position.character - (0 if position.line else self._before), 0)
        before = units[: count * self._size].decode(self._codec, "ignore")
        return start + len(before.encode())

    def position(self, offset: int) -> types.Position:
        """The position of a byte offset."""
        offset = min(max(offset, 0), len(self.content))
        line = bisect_right(self._starts, offset) - 1
        start, end = self._line(line)
        before = self.content[start : min(offset, end)].decode(errors="ignore")
        count = len(before.encode(self._codec)) // self._size
        return types.Position(line, count + (0 if line else self._before))

    def range(self, start: int, end: int) -> types.Range:
        """The range between two byte offsets."""
        return types.Range(self.position(start), self.position(max(start, end)))

    def line_of(self, offset: int) -> int:
        """The line of a byte offset, from 0."""
        return bisect_right(self._starts, offset) - 1

    def start_of(self, line: int) -> int:
        """The byte offset at which a line begins; for the line after the last, the text's end."""
        return self._starts[line] if line < len(self._starts) else len(self.content)

    def _line(self, line: int) -> tuple[int, int]:
        """Start and end of a line, without what ends it."""
        start = self._starts[line]
        following = self.start_of(line + 1)
        if line + 1 < len(self._starts):
            following -= 2 if self.content[following - 2 : following] == b"\r\n" else 1
        return start, following
