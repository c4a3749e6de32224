"""The clock of the file system: what is younger than a tick of it is never remembered."""

import threading
from pathlib import Path

# Longer than the core's tick, which is in `stamp.rs`, in nanoseconds.
TICK = 25_000_000


def has_fine_times(folder: Path) -> bool:
    """Whether what is written after a look always has another time than before it."""
    probe = folder / "probe-of-times"
    times = []
    for number in range(8):
        probe.write_text(str(number))
        times.append(probe.stat().st_mtime_ns)
    probe.unlink()
    return len(set(times)) == len(times)


def let_a_tick_pass(folder: Path) -> Path:
    """Waits until what is written now is younger than all files by more than a tick.

    Gives the file in `folder` that tells the time: its own is now.
    """
    pause, probe = threading.Event(), folder / "probe"
    probe.touch()
    first = probe.stat().st_mtime_ns
    while probe.stat().st_mtime_ns < first + TICK:
        pause.wait(0.002)
        probe.touch()
    return probe
