"""A store that lives in this process."""

import threading
from collections.abc import Collection, Iterator


class MemoryStore:
    """Keeps results in memory, for runs of one process. May be used from several threads."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """What was put under the name, or None."""
        with self._lock:
            return self._kept.get(name)

    def put(self, name: str, data: bytes) -> None:
        """Keeps `data`."""
        with self._lock:
            self._kept[name] = bytes(data)

    def missing(self, names: Collection[str]) -> set[str]:
        """Those of the names that are not kept."""
        with self._lock:
            return {name for name in names if name not in self._kept}

    def __len__(self) -> int:
        """How many names are kept."""
        return len(self._kept)

    def __iter__(self) -> Iterator[str]:
        """The names that are kept."""
        with self._lock:
            return iter(tuple(self._kept))
