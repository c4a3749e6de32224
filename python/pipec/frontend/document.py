"""A pipeline file as text: what findings point into."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipec import _core
from pipec.diagnostics import Route
from pipec.frontend.discover import Notation

Span = tuple[int, int, int, int]
"""Start and end of the key, start and end of the value, as byte offsets in the text's UTF-8."""


@dataclass(frozen=True, slots=True)
class Document:
    """The file's path as its reader would write it, its text, and how the text is to be read."""

    path: str
    text: str
    notation: Notation
    kept_spans: dict[Route, Span] | None = field(default=None, compare=False, repr=False)
    """What the reader of YAML knows of places. Given a table, it fills it: a text whose places are
    asked for again and again, as an editor does, is not read each time."""

    def spans(self, routes: Sequence[Route]) -> list[Span | None]:
        """Where the values at these routes stand; None for a place that the text does not have."""
        if not routes:
            return []
        if self.notation == "toml":
            return _core.toml_spans(self.text, json.dumps(routes))
        if self.kept_spans:
            return [self.kept_spans.get(route) for route in routes]
        # PyYAML is imported only where a YAML file has something to report.
        from pipec.frontend.read_yaml import locate

        return locate(self.text, routes)
