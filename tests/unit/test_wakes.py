"""When a watch wakes: by the clock in hand, on real folders."""

import asyncio
import errno
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pipec import _core
from pipec.runtime.wakes import LONGEST_S, POLL_S, QUIET_S, REST, Wakes, why_not
from pipec.testing import FakeClock

linux = pytest.mark.skipif(sys.platform != "linux", reason="folders are listened to on Linux")
_TURNS = 20


async def settle() -> None:
    """Lets the loop do all that it can do without a clock that moves."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class Waking:
    """Counts the wakes of a folder, under a clock that moves by the steps of a test."""

    def __init__(self, folder: Path, clock: FakeClock, *, poll: bool = False) -> None:
        self.count = 0
        self.wakes = Wakes(poll=poll, limit=0, on_polling=lambda _error: None)
        self.wakes.listen([str(folder)])
        self._file = folder / "file"
        self._clock = clock
        self._counting = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        while True:
            await self.wakes.wait()
            self.count += 1

    async def edit(self) -> None:
        self._file.write_text(f"{self._clock.monotonic()}")
        await settle()

    async def pass_by(self, seconds: float) -> None:
        self._clock.advance(seconds)
        await settle()

    async def close(self) -> None:
        self._counting.cancel()
        self.wakes.close()
        await asyncio.gather(self._counting, return_exceptions=True)


def under_the_clock(work: Callable[[FakeClock], Awaitable[None]]) -> None:
    clock = FakeClock()
    with asyncio.Runner(loop_factory=clock.open_loop) as runner:

        async def main() -> None:
            await work(clock)

        runner.run(main())


@linux
def test_edits_that_come_together_are_one_wake(tmp_path: Path) -> None:
    async def work(clock: FakeClock) -> None:
        waking = Waking(tmp_path, clock)
        for _ in range(5):
            await waking.edit()
            await waking.pass_by(QUIET_S * 0.9)
        assert waking.count == 0
        # Quiet is a whole span of time without an event.
        for _ in range(2):
            await waking.pass_by(QUIET_S * 1.1)
        assert waking.count == 1
        await waking.pass_by(10)
        assert waking.count == 1
        await waking.close()

    under_the_clock(work)


@linux
def test_where_it_never_gets_quiet_it_wakes_all_the_same(tmp_path: Path) -> None:
    async def work(clock: FakeClock) -> None:
        waking = Waking(tmp_path, clock)
        step = QUIET_S * 0.9
        edits = int(2 * (LONGEST_S + QUIET_S) / step) + 2
        for _ in range(edits):
            await waking.edit()
            await waking.pass_by(step)
        assert waking.count == 2
        await waking.close()

    under_the_clock(work)


@linux
def test_after_a_long_look_it_rests(tmp_path: Path) -> None:
    async def work(clock: FakeClock) -> None:
        waking = Waking(tmp_path, clock)
        waking.wakes.looked(2.0)
        await waking.edit()
        await waking.pass_by(QUIET_S * 2)
        await waking.pass_by(2.0 * REST - QUIET_S * 3)
        assert waking.count == 0
        await waking.pass_by(QUIET_S * 2)
        assert waking.count == 1
        await waking.close()

    under_the_clock(work)


def test_without_listening_it_wakes_by_the_clock(tmp_path: Path) -> None:
    async def work(clock: FakeClock) -> None:
        waking = Waking(tmp_path, clock, poll=True)
        await waking.edit()
        for number in range(1, 4):
            await waking.pass_by(POLL_S * 1.01)
            assert waking.count == number
        await waking.close()

    under_the_clock(work)


class _Full:
    """A system that has no room for another folder."""

    def __init__(self) -> None:
        self._events = _core.FolderEvents()
        self.fileno = self._events.fileno
        self.take = self._events.take

    def add(self, folders: list[str]) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@linux
def test_a_limit_of_the_system_is_called_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def work(clock: FakeClock) -> None:
        full = _Full()
        monkeypatch.setattr("pipec.runtime.wakes._core.FolderEvents", lambda: full)
        wakes = Wakes(
            poll=False, limit=0, on_polling=lambda error: told.append(why_not(error or OSError()))
        )
        assert not wakes.listen([str(tmp_path)])
        assert wakes.is_polling
        wakes.close()

    under_the_clock(work)
    assert told == ["the limit `fs.inotify.max_user_watches` of the system is reached"]
    too_many = OSError(errno.EMFILE, "Too many open files")
    assert why_not(too_many) == "the limit `fs.inotify.max_user_instances` of the system is reached"
    assert why_not(OSError(errno.ENOSYS, "not here")) == "not here"
