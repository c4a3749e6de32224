"""A run as JSON lines on standard output: each event as it happens."""

import json

from pipec.cli.console import Console
from pipec.runtime.events import Event, to_line


class JsonLinesReporter:
    """A listener that prints every event as one line."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: Event) -> None:
        """Prints the event at once: somebody follows."""
        self._console.data(json.dumps(to_line(event), ensure_ascii=False) + "\n")
        self._console.flush()
