"""Ends a run from another thread."""

import threading
from collections.abc import Callable


class Stop:
    """A wish to end a run, which may come before, while or after the run executes anything."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_requested = False
        self._begin: Callable[[], object] | None = None

    def request(self) -> None:
        """Ends the run as an interrupt from the keyboard would. Each further call is firmer."""
        with self._lock:
            self._is_requested = True
            if self._begin is not None:
                self._begin()

    def attach(self, begin: Callable[[], object]) -> None:
        """From now on requests call `begin`, from any thread; one that came before does at once."""
        with self._lock:
            self._begin = begin
            if self._is_requested:
                begin()

    def detach(self) -> None:
        """Nothing is left to end."""
        with self._lock:
            self._begin = None
