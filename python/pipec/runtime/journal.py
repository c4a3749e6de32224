"""The journal of a run: one event a line, only ever added to. What a crash leaves behind."""

import json
import os
from collections.abc import Callable

from pipec.runtime.events import Event, OutputChunk, to_line


class Journal:
    """Appends events to `journal.jsonl`. Output is not in it: each task's log has that, in full.

    A journal that cannot be written is reported once to `on_trouble`; the run goes on.
    """

    def __init__(self, path: str, *, on_trouble: Callable[[OSError], None]) -> None:
        self._path = path
        self._on_trouble = on_trouble
        self._fd: int | None = None
        self._pending: list[str] = []
        self._is_broken = False

    def add(self, event: Event) -> None:
        """Notes an event; `flush` writes it."""
        if not isinstance(event, OutputChunk) and not self._is_broken:
            line = json.dumps(to_line(event), ensure_ascii=False, separators=(",", ":"))
            self._pending.append(line + "\n")

    def flush(self) -> None:
        """Writes what was noted."""
        if not self._pending or self._is_broken:
            return
        data = "".join(self._pending).encode("utf-8", "surrogateescape")
        self._pending.clear()
        try:
            if self._fd is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                self._fd = os.open(self._path, flags, 0o644)
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            self._is_broken = True
            self._on_trouble(error)

    def close(self) -> None:
        """Writes what is left and closes the file."""
        self.flush()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
