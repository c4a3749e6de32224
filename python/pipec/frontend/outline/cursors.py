"""What a person is about to write at a place of the text."""

from dataclasses import dataclass
from typing import Literal

from pipec.diagnostics import Route


@dataclass(frozen=True, slots=True)
class Cursor:
    """A key of the table at `route` (in a header, or not), or the value at `route`.

    `start` is the byte offset at which that which is written of it begins.
    """

    slot: Literal["key", "header", "value"]
    route: Route
    start: int
