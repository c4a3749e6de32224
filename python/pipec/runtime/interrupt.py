"""The end of a run from outside: a signal, a reader of our output that went away, its time."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Literal

from pipec.codes import Code
from pipec.runtime.groups import Groups

_EXIT_CODES = {
    signal.SIGINT: 130,
    signal.SIGTERM: 143,
    # A terminal that closes ends the run as TERM does.
    signal.SIGHUP: 143,
    signal.SIGPIPE: 141,
}
_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FAILED = 1


class Interrupt:
    """The first signal asks every command to end, and kills it after the grace.

    The second kills at once, the third ends pipec where it stands. Time that ran out is as good as
    a first signal. `on_begin` is told what it was, `before_leaving` of the second: nothing can be
    done after the third.
    """

    def __init__(
        self,
        groups: Groups,
        *,
        kill_grace_s: float,
        on_begin: Callable[[Code, str], None],
        before_leaving: Callable[[], None] = lambda: None,
    ) -> None:
        self.on_begin = on_begin
        self._before_leaving = before_leaving
        self._groups = [groups]
        self._kill_grace_s = kill_grace_s
        self._number: signal.Signals | None = None
        self._limit = ""
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0
        self._installed: list[signal.Signals] = []
        self.event = asyncio.Event()

    @property
    def requested(self) -> bool:
        """Whether the run is to end."""
        return self._number is not None or bool(self._limit)

    @property
    def status(self) -> Literal["failed", "interrupted"]:
        """How the run ends: out of time it has failed."""
        return "failed" if self._limit else "interrupted"

    @property
    def exit_code(self) -> int:
        """130, 141 or 143; 1 when time ran out."""
        if self._limit:
            return _FAILED
        assert self._number is not None
        return _EXIT_CODES[self._number]

    @property
    def reason(self) -> str:
        """What ended the run, for its record."""
        if self._limit:
            return f"timed out: {self._limit}"
        assert self._number is not None
        return self._number.name

    @property
    def task_reason(self) -> str:
        """Why a task was cancelled, or never started."""
        return self.reason if self._limit else "interrupted"

    def install(self, *, on_continue: Callable[[], None] = lambda: None) -> None:
        """Listens to signals, in the main thread; one that the caller ignores stays ignored.

        `on_continue` is told when the process goes on after it was stopped.
        """
        loop = asyncio.get_running_loop()
        for number in _HANDLED:
            if signal.getsignal(number) is signal.SIG_IGN:
                continue
            try:
                loop.add_signal_handler(number, self.begin, number)
            except (ValueError, RuntimeError):
                return
            self._installed.append(number)

        def went_on() -> None:
            for groups in self._groups:
                groups.went_on()
            on_continue()

        loop.add_signal_handler(signal.SIGCONT, went_on)
        self._installed.append(signal.SIGCONT)

    def uninstall(self) -> None:
        """Gives the signals back, and forgets the time."""
        if self._timer is not None:
            self._timer.cancel()
        for number in self._installed:
            asyncio.get_running_loop().remove_signal_handler(number)
        self._installed.clear()

    def join(self, groups: Groups) -> None:
        """These processes end with the others."""
        self._groups.append(groups)

    def part(self, groups: Groups) -> None:
        """These have ended."""
        self._groups.remove(groups)

    def begin(self, number: signal.Signals) -> None:
        """Ends the run, more firmly each time."""
        self._count += 1
        if self._count > 2:  # noqa: PLR2004 - the third
            self._take_terminal_back()
            os._exit(_EXIT_CODES[number])
        if self.requested:
            for groups in self._groups:
                groups.signal_all(signal.SIGKILL)
            self._take_terminal_back()
            self._before_leaving()
            return
        self._number = number
        self._end_all(number)
        self.on_begin(Code.INTERRUPTED, number.name)

    async def begin_with(self, number: signal.Signals) -> None:
        """Ends the run because this has ended the command that had the terminal.

        A key is meant for all who belong to the job in the foreground, such as the script that has
        called pipec.
        """
        if self.requested:
            return
        if number is signal.SIGINT and number in self._installed:
            os.killpg(os.getpgrp(), number)
            await self.event.wait()
        else:
            self.begin(number)

    def begin_after(self, seconds: float, limit: str) -> None:
        """Ends the run when time is up; `limit` says how long it may take."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, seconds), self._run_out, limit)

    def _run_out(self, limit: str) -> None:
        if not self.requested:
            self._limit = limit
            self._count += 1
            self._end_all(signal.SIGTERM)
            self.on_begin(Code.TIMED_OUT, limit)

    def _take_terminal_back(self) -> None:
        for groups in self._groups:
            groups.take_terminal_back()

    def _end_all(self, number: signal.Signals) -> None:
        for groups in self._groups:
            self._ask_to_end(groups, number)
        self.event.set()

    def _ask_to_end(self, groups: Groups, number: signal.Signals) -> None:
        groups.signal_all(number if number is signal.SIGINT else signal.SIGTERM)
        loop = asyncio.get_running_loop()
        for grace_s in groups.graces(self._kill_grace_s):
            loop.call_later(grace_s, groups.kill_after, grace_s, self._kill_grace_s)
