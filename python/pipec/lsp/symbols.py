"""Document symbols: the sections of the file, and what is in them."""

from collections.abc import Iterable, Iterator, Mapping

from lsprotocol import types

from pipec.diagnostics import Route
from pipec.frontend.outline.entries import TABLES, Range
from pipec.lsp.analysis import Analysis
from pipec.lsp.collect import SECTIONS
from pipec.spec.task import task_or_group

_KINDS: Mapping[Route, types.SymbolKind] = {
    ("jobs",): types.SymbolKind.Event,
    ("triggers",): types.SymbolKind.Interface,
    ("named-inputs",): types.SymbolKind.Array,
    ("pools",): types.SymbolKind.Number,
}
_TASK_SECTIONS = (("tasks",), ("workspace", "tasks"), ("task-defaults",))


def outline_symbols(analysis: Analysis) -> list[types.DocumentSymbol]:
    """The sections in the order of the text, with tasks, groups and all else that has a name."""
    symbols: list[types.DocumentSymbol] = []
    for name in analysis.outline.names(()):
        symbols += _symbol(analysis, (name,), types.SymbolKind.Namespace)
    return symbols


def flat_symbols(
    symbols: Iterable[types.DocumentSymbol], uri: str, container: str | None = None
) -> Iterator[types.SymbolInformation]:
    """The same as a list, for editors that know no tree."""
    for symbol in symbols:
        location = types.Location(uri, symbol.range)
        yield types.SymbolInformation(location, symbol.name, symbol.kind, container_name=container)
        yield from flat_symbols(symbol.children or (), uri, symbol.name)


def _symbol(
    analysis: Analysis, route: Route, kind: types.SymbolKind
) -> Iterator[types.DocumentSymbol]:
    name = str(route[-1])
    entries = analysis.outline.at(route)
    if not name or not entries:
        return
    own = next((entry for entry in entries if entry.kind != "part"), entries[0])
    is_table = any(entry.kind in TABLES for entry in entries)
    if len(route) == 1 and not is_table:
        kind = types.SymbolKind.Property
    children = list(_children(analysis, route))
    span = own.value if is_table else (own.key[0], own.value[1])
    ranges = [(min(own.key[0], span[0]), max(own.key[1], span[1]))]
    ranges += [analysis_range(analysis, child.range) for child in children]
    whole = (min(start for start, _ in ranges), max(end for _, end in ranges))
    description = analysis.outline.value((*route, "description"))
    yield types.DocumentSymbol(
        name=name,
        detail=description if isinstance(description, str) and description else None,
        kind=kind,
        range=analysis.positions.range(*whole),
        selection_range=analysis.positions.range(*own.key),
        children=children or None,
    )


def _children(analysis: Analysis, route: Route) -> Iterator[types.DocumentSymbol]:
    if route in _TASK_SECTIONS or _is_group(analysis, route):
        for name in analysis.outline.names(route):
            place = (*route, name)
            kind = (
                types.SymbolKind.Package
                if _is_group(analysis, place)
                else types.SymbolKind.Function
            )
            yield from _symbol(analysis, place, kind)
    elif route in SECTIONS.values():
        for name in analysis.outline.names(route):
            yield from _symbol(analysis, (*route, name), _KINDS.get(route, types.SymbolKind.Object))
    elif route in {("cache",), ("workspace",)}:
        for name in analysis.outline.names(route):
            if (*route, name) in (*SECTIONS.values(), *_TASK_SECTIONS):
                yield from _symbol(analysis, (*route, name), types.SymbolKind.Namespace)


def _is_group(analysis: Analysis, route: Route) -> bool:
    """Whether a table among the tasks holds tasks."""
    section = next((s for s in _TASK_SECTIONS[:2] if route[: len(s)] == s), None)
    if section is None or len(route) <= len(section):
        return False
    parents = (route[:length] for length in range(len(section) + 1, len(route)))
    if any(task_or_group(analysis.outline.value(parent)) == "task" for parent in parents):
        return False
    return task_or_group(analysis.outline.value(route)) == "group"


def analysis_range(analysis: Analysis, place: types.Range) -> Range:
    """The byte offsets of a range."""
    return analysis.positions.offset(place.start), analysis.positions.offset(place.end)
