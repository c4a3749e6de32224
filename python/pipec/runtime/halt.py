"""The end of one running task from within the run, while the others go on."""

import asyncio

from pipec.runtime.record import ErrorRecord


class Halt:
    """Whether a task is to end before its time, and why: with an error it failed, else it did not.

    The first reason counts. `key` is the one under which it runs.
    """

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.event = asyncio.Event()
        self.reason = ""
        self.error: ErrorRecord | None = None

    @property
    def requested(self) -> bool:
        """Whether the task is to end."""
        return self.event.is_set()

    def request(self, reason: str, error: ErrorRecord | None = None) -> None:
        """Asks it to end."""
        if not self.requested:
            self.reason = reason
            self.error = error
            self.event.set()
