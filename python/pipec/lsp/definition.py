"""Go to definition: from a name to where it is given."""

from lsprotocol import types

from pipec.lsp.analysis import Analysis


def define(analysis: Analysis, uri: str, position: types.Position) -> types.Location | None:
    """Where the name at a position is given; None if there is no name, or it means nothing."""
    name = analysis.names.at(analysis.positions.offset(position))
    route = None if name is None else analysis.names.definition_of(name)
    entries = () if route is None else analysis.outline.at(route)
    if not entries:
        return None
    # A table in pieces is given by its own header, wherever that stands.
    entry = next((entry for entry in entries if entry.kind != "part"), entries[0])
    return types.Location(uri, analysis.positions.range(*entry.key))
