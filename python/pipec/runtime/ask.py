"""Asks an agent that the caller of a run brought along, for as long as there is time."""

import asyncio
import contextlib

from pipec.clock import Clock
from pipec.ports.agent import Agent, Question
from pipec.ports.executor import Exit, Sink
from pipec.runtime.process import TIMED_OUT

_SIGNALLED = 128 + 2


async def ask(
    agent: Agent,
    question: Question,
    sink: Sink,
    *,
    timeout_s: float | None,
    ends: tuple[asyncio.Event, ...],
    clock: Clock,
) -> Exit:
    """The end of the answer. One that is cut short by an event looks ended by SIGINT.

    Raises:
        OSError: the agent cannot be asked.
    """
    started = clock.monotonic()
    call = asyncio.ensure_future(agent.ask(question, sink))
    waits = [asyncio.ensure_future(end.wait()) for end in ends]
    try:
        done, _ = await asyncio.wait(
            {call, *waits}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        duration_ms = round((clock.monotonic() - started) * 1000)
        if call in done:
            return Exit(code=call.result(), duration_ms=duration_ms)
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        if done:
            return Exit(code=_SIGNALLED, duration_ms=duration_ms, signal="SIGINT")
        return Exit(code=TIMED_OUT, duration_ms=duration_ms, timed_out=True)
    finally:
        for future in (call, *waits):
            future.cancel()
