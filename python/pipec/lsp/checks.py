"""Diagnostics as one types: in the background, one file at a time, always its newest version."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

_MOMENT = 0.02
"""Seconds. Whoever types fast sends the next change later than that."""


class Checks:
    """Which files wait to be looked at, and the one look that goes on.

    A look begins a moment after a change, so that what the editor asks together with it is answered
    first. A file that changes while it is looked at is looked at again; what was found of the old
    version is not said. There is never more than one look.
    """

    def __init__(self, look: Callable[[str], Callable[[], None]], pool: Executor) -> None:
        """`look` is called in the pool; what it gives is called in the loop, to say the result."""
        self._look = look
        self._pool = pool
        self._waiting: dict[str, None] = {}
        self._is_busy = False
        self._timer: asyncio.TimerHandle | None = None

    def request(self, uri: str) -> None:
        """Looks at a file soon. Called in the loop."""
        self._waiting[uri] = None
        self._start_soon()

    def _start_soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_MOMENT, self._start)

    def _start(self) -> None:
        if self._is_busy or not self._waiting:
            return
        uri = next(iter(self._waiting))
        del self._waiting[uri]
        self._is_busy = True
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, self._look, uri)
        future.add_done_callback(self._finish)

    def _finish(self, future: "asyncio.Future[Callable[[], None]]") -> None:
        self._is_busy = False
        if self._waiting:
            self._start_soon()
        if not future.cancelled():
            future.result()()
