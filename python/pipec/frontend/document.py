"""A pipeline file as text: what findings point into."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipec import _core
from pipec.diagnostics import Route
from pipec.frontend.discover import Notation

if TYPE_CHECKING:
    from pipec.frontend.lower.known_tasks import KnownTasks

Span = tuple[int, int, int, int]
"""Start and end of the key, start and end of the value, as byte offsets in the text's UTF-8."""


BlockKey = tuple[bool, str]
"""Whether a block of YAML stands in a table, and its text."""


@dataclass(frozen=True, slots=True)
class BlockRead:
    """What was read of a block: its entries, where each value stands, and where they begin and end.

    Offsets count bytes from the start of the block.
    """

    values: Mapping[str, Any]
    places: Mapping[Route, Span]
    start: int
    end: int


@dataclass(slots=True)
class Kept:
    """What is kept of a text: `blocks` and `tasks` for its next version, and `places`."""

    blocks: dict[BlockKey, BlockRead]
    tasks: "KnownTasks | None" = None
    places: Callable[[Route], Span | None] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The file's path as its reader would write it, its text, and how the text is to be read."""

    path: str
    text: str
    notation: Notation
    kept: Kept | None = field(default=None, compare=False, repr=False)
    """Given, the reader of YAML keeps what it knows: a text that is changed a little, and whose
    places are asked for again and again, as an editor does, is not read each time."""

    def spans(self, routes: Sequence[Route]) -> list[Span | None]:
        """Where the values at these routes stand; None for a place that the text does not have."""
        if not routes:
            return []
        if self.notation == "toml":
            return _core.toml_spans(self.text, json.dumps(routes))
        if self.kept is not None and self.kept.places is not None:
            return [self.kept.places(route) for route in routes]
        # PyYAML is imported only where a YAML file has something to report.
        from pipec.frontend.read_yaml import locate

        return locate(self.text, routes)
