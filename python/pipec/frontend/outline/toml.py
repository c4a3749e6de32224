"""The outline of a TOML text: the core reads it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from pipec import _core
from pipec.frontend.outline.cursors import Cursor
from pipec.frontend.outline.entries import Entry, Kind, Outline

if TYPE_CHECKING:
    from pipec.diagnostics import Route


def outline_toml(text: str) -> Outline:
    """The entries of a TOML text; what nothing closes ends where the next statement begins."""
    routes: list[Route] = []
    entries: list[Entry] = []
    for parent, name, kind, places, said in _core.toml_outline(text):
        route = (*routes[parent], name) if parent >= 0 else (name,)
        routes.append(route)
        entries.append(Entry(route, cast("Kind", kind), places[:2], places[2:], said))
    return Outline(entries)


def toml_cursors(text: str, offset: int) -> Sequence[Cursor]:
    """What comes at a byte offset."""
    found = _core.toml_cursor(text, offset)
    if found is None:
        return ()
    slot, route, start = found
    return (Cursor(slot, tuple(route), start),)  # type: ignore[arg-type]
