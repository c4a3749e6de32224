"""The terminal that pipec is on, lent to the group of one command as a shell lends it to a job.

Keys such as Ctrl-C go to who is in the foreground, and whoever else reads keys is stopped: this is
the job control of POSIX (Base Definitions, 11.1), and nothing else knows of it.
"""

import asyncio
import contextlib
import os
import signal
import termios
import threading
from collections.abc import Iterator
from typing import Any

from pipec.runtime.stop_key import StopKey, is_stuck, may_stop_yet

_WANTS_TERMINAL = (signal.SIGTTIN, signal.SIGTTOU)
# The other screen, a hidden cursor, mouse and pastes reported, colours: what full-screen programs
# turn on, and only they can turn off as long as they live.
_PLAIN = b"\x1b[?1047l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m"
_POLL_S = 0.02


def open_foreground() -> "Foreground | None":
    """The terminal that controls this process; None if there is none."""
    try:
        return Foreground(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return None


class Foreground:
    """The terminal, from before a command starts until after it has ended.

    `take_back` brings the modes back that the terminal had before the command, whatever it did.
    """

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._before = self._modes()
        self._of_command = self._before
        self._group = 0
        self._leader = 0
        self._is_lent = False
        self._stop_key: StopKey | None = None
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._is_starting = False
        self._was_pressed = False

    def open_group(self) -> int:
        """A group that has the terminal already, for a command to start in.

        0 if pipec has no terminal to lend now: it is in the background, or none of its streams is a
        terminal.
        """
        if not self._is_ours() or not any(map(os.isatty, (0, 1, 2))):
            return 0
        self._is_starting = True
        self._stop_key = StopKey(self._on_stop_key)
        self._group = self._stop_key.group
        self._hand_over()
        return self._group

    def enter(self, group: int, leader: int) -> None:
        """The command has started, in this group, with this process."""
        self._group = group
        self._leader = leader
        with self._lock:
            self._is_starting = False
        if self._was_pressed:
            _signal_group(group, signal.SIGTSTP)

    def stopped(self, number: int) -> None:
        """The command was stopped: pipec stops with it, until the shell lets both go on."""
        if number in _WANTS_TERMINAL and (self._is_ours() or self._has_terminal(self._group)):
            # It has asked for the terminal while nobody else had it.
            self._go_on()
            return
        wants_terminal = number in _WANTS_TERMINAL
        if number == signal.SIGTSTP:
            # Who was being started while the key was pressed has not heard of it.
            _signal_group(self._group, signal.SIGTSTP)
        if self._is_lent:
            self._of_command = self._modes()
            self._return()
        was_stopped = _stop_own_group(number if wants_terminal else signal.SIGTSTP)
        if wants_terminal and not was_stopped:
            # No shell is there that could give the terminal: as the kernel does to such groups.
            _signal_group(self._group, signal.SIGHUP)
        self._go_on()

    def went_on(self) -> None:
        """Somebody has let pipec go on, or has put it into the foreground."""
        if self._group:
            self._is_lent = self._has_terminal(self._group)
            if not self._is_lent:
                self._go_on()

    def take_back(self) -> None:
        """Makes the terminal what it was, if pipec still has it to lend."""
        if self._is_lent:
            self._return()

    def make_plain(self) -> None:
        """Turns off what the command cannot turn off any more; nothing while others have it."""
        if self._is_ours():
            with contextlib.suppress(OSError):
                os.write(self._terminal, _PLAIN)

    def close(self) -> None:
        """Takes the terminal back; this is over."""
        self.take_back()
        self._group = self._leader = 0
        if self._stop_key is not None:
            self._stop_key.dismiss()
            self._stop_key = None
        os.close(self._terminal)

    def _go_on(self) -> None:
        if self._is_ours():
            self._set_modes(self._of_command)
            self._hand_over()
        _signal_group(self._group, signal.SIGCONT)

    def _hand_over(self) -> None:
        self._give(self._group)
        self._is_lent = True

    def _return(self) -> None:
        self._give(os.getpgrp())
        self._set_modes(self._before)
        self._is_lent = False

    def _on_stop_key(self) -> None:
        with self._lock:
            if self._is_starting:
                # Whoever starts the command waits for it: it has to arrive, and stops then.
                self._was_pressed = True
                _signal_group(self._group, signal.SIGCONT)
                return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is left to stop
            self._loop.call_soon_threadsafe(self._look_whether_stuck)

    def _look_whether_stuck(self) -> None:
        """The command was told to stop; if it does, `stopped` will be told."""
        if not self._leader or not self._is_lent:
            return
        if is_stuck(self._leader):
            self.stopped(signal.SIGTSTP)
        elif may_stop_yet(self._leader):
            self._loop.call_later(_POLL_S, self._look_whether_stuck)

    def _is_ours(self) -> bool:
        return self._has_terminal(os.getpgrp())

    def _has_terminal(self, group: int) -> bool:
        try:
            return os.tcgetpgrp(self._terminal) == group
        except OSError:
            return False

    def _give(self, group: int) -> None:
        with _undisturbed(), contextlib.suppress(OSError):
            os.tcsetpgrp(self._terminal, group)

    def _modes(self) -> list[Any] | None:
        try:
            return termios.tcgetattr(self._terminal)
        except termios.error:
            return None

    def _set_modes(self, modes: list[Any] | None) -> None:
        if modes is not None:
            with _undisturbed(), contextlib.suppress(termios.error):
                # At once: a terminal whose output is held (Ctrl-S) would let nobody end.
                termios.tcsetattr(self._terminal, termios.TCSANOW, modes)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Who is in the background may change a terminal only with this signal blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _stop_own_group(number: int) -> bool:
    """Stops pipec and who belongs to its job; when it goes on, gives whether it really stopped.

    Where no shell could let them go on again, the system does not stop them. Threads other than the
    main one cannot tell.
    """
    if threading.current_thread() is not threading.main_thread():
        os.killpg(os.getpgrp(), number)
        return False
    went_on: list[int] = []
    before = signal.signal(signal.SIGCONT, lambda number, _: went_on.append(number))
    try:
        os.killpg(os.getpgrp(), number)
    finally:
        signal.signal(signal.SIGCONT, before)
    return bool(went_on)
