"""Hears that Ctrl-Z was typed to a group of processes, even where the command in it cannot stop.

A program that starts another by `vfork`, which is what many shells and every `posix_spawn` do,
sleeps until the other one runs, and no signal reaches it. Stopped on its way there, the other one
never arrives, so the first never stops, and whoever waits for that waits forever. Hence a process
in the group that does nothing but stop when the others are told to.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable

from pipec.runtime.fork import start_process

# It has heard that it is to ignore these before it has the terminal, and ends with whoever asked.
_SENTRY = ("/bin/sh", "-c", "trap '' INT QUIT HUP TERM; echo; read -r _")


class StopKey:
    """A process in a new `group` that stops with it, and that keeps the group from going away.

    `on_press` is called, in a thread of its own, each time that it was stopped; it goes on by then.
    """

    def __init__(self, on_press: Callable[[], None]) -> None:
        self._process = start_process(
            _SENTRY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        assert self._process.stdout is not None
        with self._process.stdout as ready:
            ready.readline()
        self.group = self._process.pid
        self._on_press = on_press
        self._has_ended = False
        self._thread = threading.Thread(target=self._watch, daemon=True, name="pipec-stop-key")
        self._thread.start()

    def dismiss(self) -> None:
        """Ends the process; nothing is heard any more."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._signal(signal.SIGKILL)
        self._thread.join()

    def _watch(self) -> None:
        while True:
            _, status = os.waitpid(self.group, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                break
            # First, so that a key which is pressed from now on is heard as well.
            self._signal(signal.SIGCONT)
            self._on_press()
        self._has_ended = True
        # Nobody else need wait for it.
        self._process.returncode = os.waitstatus_to_exitcode(status)

    def _signal(self, number: signal.Signals) -> None:
        if not self._has_ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.group, number)


def is_stuck(pid: int) -> bool:
    """Whether a process cannot stop as it was told, because of a child that has stopped too early.

    Where the system shows no processes it never is.
    """
    if not _is_to_stop(pid):
        return False
    sleeps = any(_stat(f"{pid}/task/{thread}")[:1] == ["D"] for thread in _list(f"{pid}/task"))
    return sleeps and any(_stat(name)[:2] == ["T", str(pid)] for name in _list(""))


def may_stop_yet(pid: int) -> bool:
    """Whether a process was told to stop, has not done so, and does not ignore it."""
    return _is_to_stop(pid) and not _has_stopped(pid)


def _is_to_stop(pid: int) -> bool:
    """Whether the signal waits, or some threads have obeyed and others have not."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            lines = [line.split(":", 1) for line in file]
    except OSError:
        return False
    waiting = {name: int(text, 16) for name, text in lines if name in ("ShdPnd", "SigPnd")}
    if any(mask >> (signal.SIGTSTP - 1) & 1 for mask in waiting.values()):
        return True
    return any(_stat(f"{pid}/task/{thread}")[:1] == ["T"] for thread in _list(f"{pid}/task"))


def _has_stopped(pid: int) -> bool:
    threads = _list(f"{pid}/task")
    return all(_stat(f"{pid}/task/{thread}")[:1] == ["T"] for thread in threads)


def _list(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(f"/proc/{folder}") if name.isdigit()]
    except OSError:
        return []


def _stat(name: str) -> list[str]:
    """State, parent and the rest of a process or thread; nothing if it is gone."""
    try:
        with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
            # The name before it may hold anything, brackets and spaces included.
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []
