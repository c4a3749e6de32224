"""Runs one command and says how long it took, what it used, and what others used meanwhile."""

import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CORES: Final = os.cpu_count() or 1
TICKS: Final = os.sysconf("SC_CLK_TCK")

BURST_SECONDS: Final = 0.2
"""How long a short command is repeated: the system counts processor time in steps of 10 ms, too
coarse to tell what others used during a single short run."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command line, where it runs and in which environment (its own, not that of the bench)."""

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """A burst of runs of one command.

    `wall_ms` and `cpu_ms` are medians over its runs, `peak_mb` the largest resident set of a single
    process, `foreign` the share of the machine that other processes used while it ran, 0 to 1.
    """

    wall_ms: float
    cpu_ms: float
    peak_mb: float
    foreign: float
    runs: int


class CommandFailedError(Exception):
    """A command did not end with 0: its number would mean nothing."""


def blind_mb() -> float:
    """Below this a peak cannot be read: a process starts with the resident set of its parent."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sample(
    command: Command,
    *,
    before: Callable[[], None],
    after: Callable[[], None],
    scratch: Path,
    seconds: float = BURST_SECONDS,
) -> Sample:
    """Runs a command once, or several times if it is short; `before` and `after` are not timed.

    Raises:
        CommandFailedError: a run did not end with 0.
    """
    walls: list[float] = []
    cpus: list[float] = []
    peak = foreign = 0.0
    while not walls or sum(walls) < seconds:
        before()
        try:
            wall, used, others = _run(command, scratch)
        finally:
            after()
        walls.append(wall)
        cpus.append(used.ru_utime + used.ru_stime)
        peak = max(peak, used.ru_maxrss / 1024)
        foreign += others
    return Sample(
        wall_ms=statistics.median(walls) * 1000,
        cpu_ms=statistics.median(cpus) * 1000,
        peak_mb=peak,
        foreign=min(1.0, max(0.0, foreign / (sum(walls) * CORES))),
        runs=len(walls),
    )


def _run(command: Command, scratch: Path) -> tuple[float, resource.struct_rusage, float]:
    """One run: seconds, what it used, and the seconds of processor time that others used."""
    errors = scratch / "stderr"
    outlets = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, str(errors), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666),
    ]
    os.chdir(command.folder)
    busy, own = _busy_seconds(), time.process_time()
    start = time.perf_counter()
    # posix_spawn and not subprocess, whose own pipe and bookkeeping would be part of every number.
    process = os.posix_spawn(
        command.arguments[0], command.arguments, dict(command.environment), file_actions=outlets
    )
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - start
    own, busy = time.process_time() - own, _busy_seconds() - busy
    if (code := os.waitstatus_to_exitcode(status)) != 0:
        said = errors.read_text(errors="replace")[-2000:]
        raise CommandFailedError(f"{_shown(command.arguments)} ended with {code}: {said}")
    return wall, used, busy - own - used.ru_utime - used.ru_stime


def _busy_seconds() -> float:
    """Processor time that all of the machine has used, time stolen by its host included."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _waiting, interrupt, soft, steal = map(int, fields[:8])
    return (user + nice + system + interrupt + soft + steal) / TICKS


def _shown(arguments: Sequence[str]) -> str:
    return " ".join((Path(arguments[0]).name, *arguments[1:]))
