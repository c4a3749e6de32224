"""A store of results behind the project's own: names and bytes, nothing else."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable


@runtime_checkable
class Store(Protocol):
    """Keeps bytes by name. Two kinds of names: `ac/…` for entries, `cas/…` for blobs, as the HTTP
    caches of Bazel have them; what follows are 64 hexadecimal digits.

    A blob is named after its BLAKE3 digest and an entry after the key of its task; pipec checks
    both when it reads, so a store that gives something else costs a warning and a miss. Methods
    are called from several threads. A store that is down raises `OSError`: pipec warns once and
    goes on without it.
    """

    def get(self, name: str) -> bytes | None:
        """What was put under the name, or None if the store does not have it.

        Raises:
            OSError: the store cannot be asked.
        """

    def put(self, name: str, data: bytes) -> None:
        """Keeps `data`; whoever reads at the same time sees all of it or nothing.

        Raises:
            OSError: it cannot be kept.
        """

    def missing(self, names: Collection[str]) -> set[str]:
        """Those of the names that the store does not have.

        Raises:
            OSError: the store cannot be asked.
        """
