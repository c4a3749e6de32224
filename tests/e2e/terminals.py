"""A terminal as a person has one: a pseudo-terminal, and an emulator that says what is seen."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping
from typing import Self

import pyte

from tests.conftest import RUN_ID, Project

# Times differ from run to run, and so does how many spaces stand before them.
TIME = re.compile(r" +\d+(?:\.\d+)?(?:ms|s|m|h)(?: \d+[sm])?(?= |$|:|,)", re.MULTILINE)
BAR = re.compile(r"(?:<\w+>)?(?:━*(?:<>)?─+|━+(?:<>)?) +\d+%")
ELAPSED = re.compile(r" +(<cyan>|)\d+s(?=<>| |$)", re.MULTILINE)

# What every terminal has, light or dark: the emulator's word for 33 is that of old terminals.
COLORS = {"default", "red", "green", "brown", "cyan"}


class Screen(pyte.Screen):
    """A screen that lays its lines out anew when it becomes narrower, as most do."""

    def narrow(self, columns: int) -> None:
        """Makes the screen narrower, and lets lines that are too wide take several."""
        rows: list[str] = []
        cursor = 0
        for number, line in enumerate(self.display):
            if number == self.cursor.y:
                cursor = len(rows)
            text = line.rstrip()
            rows += [text[at : at + columns] for at in range(0, max(len(text), 1), columns)]
        while rows and not rows[-1] and len(rows) > max(cursor + 1, self.lines):
            rows.pop()
        first = max(0, min(len(rows), cursor + 1) - self.lines)
        self.resize(self.lines, columns)
        self.reset()
        for number, text in enumerate(rows[first : first + self.lines]):
            self.cursor_position(number + 1, 1)
            self.draw(text)
        self.cursor_position(cursor - first + 1, 1)


class Terminal:
    """One run of pipec on a terminal of its own."""

    def __init__(
        self,
        project: Project,
        *words: str,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        before: tuple[str, ...] = (),
        data: int = subprocess.DEVNULL,
    ) -> None:
        self.output = b""
        self.screen = Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._ours, theirs = pty.openpty()
        self._set_size(columns, rows)
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "pipec", *words],
            cwd=project.folder,
            env={**project.environment, "TERM": "xterm-256color", **(env or {})},
            stdin=theirs,
            stdout=data if data != subprocess.PIPE else theirs,
            stderr=theirs,
            start_new_session=True,
            # A terminal's own keys are for whom it belongs to. No thread of a test is about.
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.close()

    def close(self) -> None:
        """Closes the window; nothing can be typed or read any more."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def type(self, keys: bytes) -> None:
        """Presses keys."""
        os.write(self._ours, keys)

    def modes(self) -> list[object]:
        """How the terminal treats keys and output."""
        return list(termios.tcgetattr(self._ours))

    def front(self) -> int:
        """The process group in the foreground."""
        return os.tcgetpgrp(self._ours)

    def resize(self, columns: int) -> None:
        """Makes the window wider or narrower."""
        self.read_what_is_there()
        if columns < self.screen.columns:
            self.screen.narrow(columns)
        else:
            self.screen.resize(columns=columns)
        self._set_size(columns, self.screen.lines)

    def until(self, is_reached: Callable[[str], bool]) -> str:
        """Reads until the screen shows something; gives what it shows."""
        while not is_reached(self.shown()):
            if not self._read(None):
                raise AssertionError(f"it ended with\n{self.shown()}")
        return self.shown()

    def end(self) -> str:
        """Reads to the end; gives what is left on the screen."""
        while self._read(None):
            pass
        self.process.wait()
        return self.shown()

    def read_what_is_there(self) -> None:
        """Reads what has been written by now."""
        while select.select([self._ours], [], [], 0)[0] and self._read(0):
            pass

    def shown(self) -> str:
        """What is on the screen, without times and spaces at the ends of lines."""
        return plain("\n".join(line.rstrip() for line in self.screen.display).rstrip("\n"))

    def colored(self) -> str:
        """What is on the screen, with the colour of each piece in front of it."""
        lines = []
        for row in range(self.screen.lines):
            line, before = "", ""
            for column in range(self.screen.columns):
                cell = self.screen.buffer[row][column]
                assert cell.fg in COLORS, cell
                assert cell.bg == "default", cell
                style = cell.fg if cell.fg != "default" else "bold" if cell.bold else ""
                if style != before:
                    line, before = f"{line}<{style}>", style
                line += cell.data
            lines.append(line.rstrip())
        return plain("\n".join(lines).rstrip("\n"))

    def _read(self, timeout: float | None) -> bool:
        select.select([self._ours], [], [], timeout)
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the last one has closed its end
            return False
        self.output += data
        self._stream.feed(data)
        return bool(data)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def plain(shown: str) -> str:
    """What is shown, with placeholders for what no two runs share."""
    shown = BAR.sub(lambda bar: f"<bar of {bar[0].count('━') + bar[0].count('─')}>", shown)
    shown = ELAPSED.sub(r" \1<time>", shown)
    return TIME.sub(" <time>", RUN_ID.sub("<run>", shown))


class Gate:
    """Holds a task until a test lets it go on: `cat NAME` ends then."""

    def __init__(self, project: Project, name: str) -> None:
        self._path = project.folder / name
        os.mkfifo(self._path)

    def open(self) -> None:
        """Lets the task go on, as soon as it is there."""
        self._path.write_bytes(b"")


class SlowProgram:
    """A `cat` of the project that nobody can start, until a test lets them.

    Whoever does is held in `execve`: where other tests would have to be very quick.
    """

    def __init__(self, project: Project, name: str) -> None:
        path = project.folder / name
        shutil.copy("/bin/cat", path)
        self._fd = os.open(path, os.O_RDONLY)
        # Tells who holds a lease that it is in somebody's way; looking at the lease tells it too.
        self._before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        fcntl.fcntl(self._fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_start()

    def is_being_started(self) -> bool:
        """Whether somebody is about to start it."""
        return fcntl.fcntl(self._fd, fcntl.F_GETLEASE) != fcntl.F_WRLCK

    def let_start(self) -> None:
        """From now on it starts as any other program."""
        if self._fd >= 0:
            os.close(self._fd)
            signal.signal(signal.SIGIO, self._before)
            self._fd = -1
