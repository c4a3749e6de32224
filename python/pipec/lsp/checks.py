"""Diagnostics as one types: in the background, one file at a time, always its newest version."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor


class Checks:
    """Which files wait to be looked at, and the one look that goes on.

    A file that changes while it is looked at is looked at again; what was found of the old version
    is not said. So a look never waits for a pause, and there is never more than one.
    """

    def __init__(self, look: Callable[[str], Callable[[], None]], pool: Executor) -> None:
        """`look` is called in the pool; what it gives is called in the loop, to say the result."""
        self._look = look
        self._pool = pool
        self._waiting: dict[str, None] = {}
        self._is_busy = False

    def request(self, uri: str) -> None:
        """Looks at a file as soon as possible. Called in the loop."""
        self._waiting[uri] = None
        if not self._is_busy:
            self._start()

    def _start(self) -> None:
        uri = next(iter(self._waiting))
        del self._waiting[uri]
        self._is_busy = True
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, self._look, uri)
        future.add_done_callback(self._finish)

    def _finish(self, future: "asyncio.Future[Callable[[], None]]") -> None:
        self._is_busy = False
        if self._waiting:
            self._start()
        if not future.cancelled():
            future.result()()
