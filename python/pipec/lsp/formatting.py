"""Formatting through `pipec fmt`: the whole file, or the tables that a range touches.

YAML is never rewritten: comments would not survive a move, as in `pipec fmt`.
"""

from lsprotocol import types

from pipec.errors import PipecError
from pipec.frontend.document import Document
from pipec.frontend.layout.canonical import canonical_toml
from pipec.frontend.read import read_values
from pipec.lsp.analysis import Analysis


def format_all(analysis: Analysis) -> list[types.TextEdit]:
    """The edits that bring the file into canonical layout; none if it cannot be read."""
    return _lay_out(analysis, 0, len(analysis.content))


def format_range(analysis: Analysis, wanted: types.Range) -> list[types.TextEdit]:
    """The edits that lay out the tables which a range touches, each from its header, with the
    comments right above it, to its last line. The rest of the file may be broken."""
    positions = analysis.positions
    first = positions.line_of(positions.offset(wanted.start))
    end = positions.offset(wanted.end)
    last = positions.line_of(end)
    if end > positions.offset(wanted.start) and positions.start_of(last) == end:
        # The range ends before the first letter of a line: it does not touch that.
        last -= 1
    headers = sorted(_header_lines(analysis))
    before = [line for line in headers if line <= first]
    after = [line for line in headers if line > last]
    start_line = _with_comments(analysis, before[-1]) if before else 0
    end_line = _with_comments(analysis, after[0]) if after else positions.lines
    return _lay_out(analysis, positions.start_of(start_line), positions.start_of(end_line))


def _header_lines(analysis: Analysis) -> set[int]:
    return {
        analysis.positions.line_of(entry.value[0])
        for entry in analysis.outline.entries
        if entry.kind == "header"
    }


def _with_comments(analysis: Analysis, line: int) -> int:
    """The first line of the comments that stand right above a line."""
    while line > 0 and _line(analysis, line - 1).lstrip().startswith(b"#"):
        line -= 1
    return line


def _line(analysis: Analysis, line: int) -> bytes:
    positions = analysis.positions
    return analysis.content[positions.start_of(line) : positions.start_of(line + 1)]


def _lay_out(analysis: Analysis, start: int, end: int) -> list[types.TextEdit]:
    if analysis.notation != "toml":
        return []
    piece = analysis.content[start:end]
    body = piece.rstrip()
    document = Document(analysis.document.path, piece.decode(), "toml")
    try:
        laid_out = canonical_toml(document, read_values(document)).encode()
    except PipecError:
        # What has syntax errors has no layout: its diagnostics say so.
        return []
    if end < len(analysis.content):
        # The blank lines up to the next table are not the range's.
        laid_out = laid_out.rstrip() + piece[len(body) :]
    if laid_out == piece:
        return []
    return [types.TextEdit(analysis.positions.range(start, end), laid_out.decode())]
