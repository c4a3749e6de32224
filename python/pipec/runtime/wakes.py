"""What wakes a watch: something happened in a folder, or, where nobody tells, some time went by.

A wake says nothing but that it is worth looking: the keys decide what is to be done.
"""

import asyncio
import errno
from collections.abc import Callable, Sequence

from pipec import _core

QUIET_S = 0.05
"""A wake comes when nothing has happened for this long …"""
LONGEST_S = 0.5
"""… or after this long, if it never gets quiet."""
POLL_S = 1.0
REST = 4
"""After a look there is none for this many times as long as it took, however much happens."""

_LIMITS = {
    errno.ENOSPC: "fs.inotify.max_user_watches",
    errno.EMFILE: "fs.inotify.max_user_instances",
}


def why_not(error: OSError) -> str:
    """Why folders cannot be listened to: the system's own words for its limits mislead."""
    limit = _LIMITS.get(error.errno or 0)
    if limit is not None:
        return f"the limit `{limit}` of the system is reached"
    return error.strerror or str(error)


class Wakes:
    """Listens to folders. If it cannot, `on_polling` is told once why, and it wakes by the clock.

    `limit`: how many folders it may listen to at most, 0 for as many as the system allows.
    """

    def __init__(
        self, *, poll: bool, limit: int, on_polling: Callable[[OSError | None], None]
    ) -> None:
        self.is_polling = False
        self.folders = 0
        self._limit = limit
        self._earliest = 0.0
        self._on_polling = on_polling
        self._happened = asyncio.Event()
        self._events: _core.FolderEvents | None = None
        if poll:
            self.is_polling = True
            return
        try:
            self._events = _core.FolderEvents()
        except OSError as error:
            self._poll(error)
        else:
            asyncio.get_running_loop().add_reader(self._events.fileno(), self._take)

    def listen(self, folders: Sequence[str]) -> bool:
        """Listens to these as well; gives whether some are new: there something may be missed."""
        if self._events is None:
            return False
        if self._limit and len(folders) > self._limit:
            self._poll(None)
            return False
        try:
            added = self._events.add(list(folders))
        except OSError as error:
            self._poll(error)
            return False
        self.folders = len(folders)
        return added > 0

    def looked(self, took_s: float) -> None:
        """Somebody has looked just now, and it took so long."""
        self._earliest = asyncio.get_running_loop().time() + took_s * REST

    async def wait(self) -> None:
        """Comes back when it is worth looking again."""
        loop = asyncio.get_running_loop()
        if self.is_polling:
            await asyncio.sleep(max(POLL_S, self._earliest - loop.time()))
            return
        await self._happened.wait()
        latest = loop.time() + LONGEST_S
        while self._happened.is_set() and loop.time() < latest:
            self._happened.clear()
            await asyncio.sleep(QUIET_S)
        await asyncio.sleep(max(0.0, self._earliest - loop.time()))
        self._happened.clear()

    def close(self) -> None:
        """Listens no more."""
        if self._events is not None:
            asyncio.get_running_loop().remove_reader(self._events.fileno())
            self._events = None

    def _take(self) -> None:
        assert self._events is not None
        try:
            if self._events.take():
                self._happened.set()
        except OSError as error:
            self._poll(error)

    def _poll(self, error: OSError | None) -> None:
        self.close()
        self.is_polling = True
        self._on_polling(error)
        self._happened.set()
