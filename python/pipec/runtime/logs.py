"""The log of a task: its name, and a file that keeps head and tail when there is too much."""

import os
from collections.abc import Callable

from pipec import _core

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")
_LONGEST_NAME = 180


def log_name(task: str) -> str:
    """The file name of a task's log: another for every id, even where case does not count."""
    name = "".join(_encode(character) for character in task)
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}~{_core.digest('pipec log name v1', task.encode())[:16]}"
    return f"{name}.log"


def _encode(character: str) -> str:
    if character in _PLAIN:
        return character
    if "A" <= character <= "Z":
        return f"+{character.lower()}"
    return "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


class TaskLog:
    """A log file that is written as output comes, so that a crash loses nothing.

    A task that prints nothing gets none: making a file takes longer than many a task.

    Up to `limit` bytes (0: no limit) are kept: the first half, and the last half in a ring, which
    `close` puts in order with a mark where something is missing. A file that cannot be written is
    reported once to `on_trouble`; whoever writes here goes on.
    """

    def __init__(self, path: str, *, limit: int, on_trouble: Callable[[OSError], None]) -> None:
        self.path = path
        self._head = limit // 2 if limit else 0
        self._limit = limit
        self._written = 0
        self._on_trouble = on_trouble
        self._fd: int | None = None
        self._is_broken = False
        self._earlier: list[str] = []
        """Other names of the same file."""

    @property
    def is_begun(self) -> bool:
        """Whether there is anything in it."""
        return self._written > 0

    def write(self, data: bytes) -> None:
        """Adds to the log."""
        if self._is_broken or not data:
            return
        try:
            if self._fd is None:
                self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
            self._place(self._fd, data)
        except OSError as error:
            self._give_up(error)

    def continue_at(self, path: str) -> bool:
        """Gives the log this name as well, and says whether it could: not every disk has links.

        It lasts as long as any of its names, and whatever is written stands under all of them.
        """
        if self._fd is not None:
            try:
                os.link(self.path, path)
            except OSError:
                return False
            self._earlier.append(self.path)
        self.path = path
        return True

    def close(self) -> None:
        """Ends the log."""
        if self._fd is None:
            return
        try:
            if self._is_cut:
                self._put_in_order(self._fd)
            os.close(self._fd)
            self._fd = None
        except OSError as error:
            self._give_up(error)

    @property
    def _is_cut(self) -> bool:
        return bool(self._limit) and self._written > self._limit

    def _place(self, fd: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            offset = self._offset(self._written)
            room = len(view) if not self._limit else self._limit - offset
            if self._limit and offset < self._head:
                room = self._head - offset
            count = os.pwrite(fd, view[:room], offset)
            self._written += count
            view = view[count:]

    def _offset(self, written: int) -> int:
        if not self._limit or written < self._limit:
            return written
        ring = self._limit - self._head
        return self._head + (written - self._head) % ring

    def _put_in_order(self, fd: int) -> None:
        """Head, mark, tail, in a new file that takes the place of the old one."""
        turn = self._offset(self._written)
        tail = os.pread(fd, self._limit - turn, turn) + os.pread(fd, turn - self._head, self._head)
        # The first line of the tail is only a part of one, unless it is all there is.
        tail = tail[tail.find(b"\n", 0, len(tail) - 1) + 1 :]
        head = os.pread(fd, self._head, 0)
        head = head[: head.rfind(b"\n") + 1] or head + b"\n"
        missing = self._written - len(head) - len(tail)
        ordered = f"{self.path}.tmp"
        with open(ordered, "wb") as file:
            file.write(head)
            file.write(f"[pipec: {missing} bytes of output are left out here]\n".encode())
            file.write(tail)
        os.replace(ordered, self.path)
        for name in self._earlier:
            # What was removed in the meantime does not come back.
            if os.path.exists(name):
                os.link(self.path, ordered)
                os.replace(ordered, name)

    def _give_up(self, error: OSError) -> None:
        self._is_broken = True
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)
        self._on_trouble(error)


def read_tail(path: str, limit: int) -> bytes:
    """The last `limit` bytes of a file; nothing if it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.stat(path).st_size - limit))
            return file.read(limit)
    except OSError:
        return b""
