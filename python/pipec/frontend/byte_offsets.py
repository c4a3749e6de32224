"""Turns offsets in characters into offsets in UTF-8, and back."""

from bisect import bisect_right
from itertools import accumulate


class ByteOffsets:
    """The offsets of one text. A half character counts as the mark that takes its place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._is_ascii = text.isascii()
        if not self._is_ascii:
            lines = text.split("\n")
            self._characters = [0, *accumulate(len(line) + 1 for line in lines)]
            self._bytes = [0, *accumulate(len(_encoded(line)) + 1 for line in lines)]

    def at(self, index: int) -> int:
        """The byte offset of a character."""
        if self._is_ascii:
            return index
        line = bisect_right(self._characters, index) - 1
        start = self._characters[line]
        return self._bytes[line] + len(_encoded(self._text[start:index]))

    def index(self, offset: int) -> int:
        """The character at a byte offset, or the one that it is in the middle of."""
        if self._is_ascii:
            return offset
        line = bisect_right(self._bytes, offset) - 1
        start = self._characters[line]
        end = self._characters[line + 1] if line + 1 < len(self._characters) else len(self._text)
        before = _encoded(self._text[start:end])[: offset - self._bytes[line]]
        return start + len(before.decode(errors="ignore"))


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")
