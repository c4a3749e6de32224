"""Find references: every place where a name stands; also what an editor lights up."""

from lsprotocol import types

from pipec.lsp.analysis import Analysis
from pipec.lsp.names import Occurrence


def refer(
    analysis: Analysis, uri: str, position: types.Position, *, with_definition: bool
) -> list[types.Location]:
    """The places of the name at a position, in the order of the text."""
    return [
        types.Location(uri, analysis.positions.range(*one.range))
        for one in _same(analysis, position)
        if with_definition or not one.is_definition
    ]


def highlight(analysis: Analysis, position: types.Position) -> list[types.DocumentHighlight]:
    """The same places, for lighting them up."""
    read, write = types.DocumentHighlightKind.Read, types.DocumentHighlightKind.Write
    return [
        types.DocumentHighlight(
            analysis.positions.range(*one.range), write if one.is_definition else read
        )
        for one in _same(analysis, position)
    ]


def _same(analysis: Analysis, position: types.Position) -> list[Occurrence]:
    name = analysis.names.at(analysis.positions.offset(position))
    return [] if name is None else list(analysis.names.same(name))
