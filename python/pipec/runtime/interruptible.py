"""An executor that ends its commands when it is told to, whoever wrote it."""

import asyncio
import contextlib

from pipec.ports.executor import Command, Executor, Exit, Sink

_SIGNALLED = 128 + 2


class Interruptible:
    """Calls another executor, and cancels the call when the event is set."""

    def __init__(self, executor: Executor, end: asyncio.Event) -> None:
        self._executor = executor
        self._end = end

    async def run(self, command: Command, sink: Sink, *, timeout_s: float | None = None) -> Exit:
        """As the other executor; a command that is ended looks ended by SIGINT.

        Raises:
            OSError: it cannot be started.
        """
        call = asyncio.ensure_future(self._executor.run(command, sink, timeout_s=timeout_s))
        interrupted = asyncio.ensure_future(self._end.wait())
        try:
            await asyncio.wait({call, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                call.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    return await call
                return Exit(code=_SIGNALLED, duration_ms=0, signal="SIGINT")
            return call.result()
        finally:
            interrupted.cancel()
            call.cancel()
