"""What every clock promises, as a check that authors of clocks can run."""

from pipec.clock import Clock

_YEAR_2000_MS = 946_684_800_000
_ROUNDS = 1000


def check_clock(clock: Clock) -> None:
    """Asserts that a clock is what `pipec.clock.Clock` says.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    now_ms = clock.now_ms()
    assert isinstance(now_ms, int), f"`now_ms` is a whole number, not {now_ms!r}"
    assert now_ms > _YEAR_2000_MS, "`now_ms` counts milliseconds since 1970, not seconds"
    moments = [clock.monotonic() for _ in range(_ROUNDS)]
    assert moments == sorted(moments), "`monotonic` never goes back"
