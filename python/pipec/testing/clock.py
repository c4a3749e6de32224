"""A clock that moves only when a test says so."""

import asyncio
import contextlib
import selectors
import threading

_EPOCH_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""
_WAIT_S = 30.0


class FakeClock:
    """The time of a run in the hands of a test: delays, timeouts and records go by it.

    `start_ms` is where it stands at first, in milliseconds since the Unix epoch. It may be moved
    from any thread, such as that of a listener or of a scripted command.
    """

    def __init__(self, *, start_ms: int = _EPOCH_MS) -> None:
        self._start_ms = start_ms
        self._elapsed_s = 0.0
        self._lock = threading.Lock()
        self._loops: list[asyncio.AbstractEventLoop] = []
        self._sleeping = threading.Event()

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        return self._start_ms + round(self._elapsed_s * 1000)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        """Moves the clock, and has everybody look who waits for a moment.

        Raises:
            ValueError: `seconds` is negative: time does not go back.
        """
        if seconds < 0:
            raise ValueError(f"a clock does not go back by {-seconds} seconds")
        with self._lock:
            self._elapsed_s += seconds
            loops = list(self._loops)
        for loop in loops:
            # A loop that has ended in the meantime waits for nothing.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: None)

    def wait_sleeping(self) -> None:
        """Waits until the run does nothing but wait for a moment of this clock.

        Raises:
            TimeoutError: it did not come to that within 30 seconds of real time.
        """
        if not self._sleeping.wait(_WAIT_S):
            raise TimeoutError("nothing waits for the clock")

    def open_loop(self) -> asyncio.AbstractEventLoop:
        """An event loop that goes by this clock: a sleep in it ends when the clock is moved."""
        loop = _Loop(self, self._sleeping)
        with self._lock:
            self._loops.append(loop)
        return loop


class _Selector(selectors.DefaultSelector):
    """Tells while a loop waits with a timer in mind."""

    def __init__(self, sleeping: threading.Event) -> None:
        super().__init__()
        self._sleeping = sleeping

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if not timeout:
            return super().select(timeout)
        self._sleeping.set()
        try:
            # Not by the machine's clock: whoever moves this one wakes the loop.
            return super().select(None)
        finally:
            self._sleeping.clear()


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: FakeClock, sleeping: threading.Event) -> None:
        self._clock = clock
        super().__init__(_Selector(sleeping))

    def time(self) -> float:
        return self._clock.monotonic()
