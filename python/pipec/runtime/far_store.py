"""The store behind the project's own: asked when that has nothing, told when that has more."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipec.codes import Code
from pipec.ir.task import Task
from pipec.ports.store import Store

if TYPE_CHECKING:
    from pipec import _core

ENTRY = "ac/"
BLOB = "cas/"


class FarStore:
    """The store of one run. The first trouble with it is told; after that the run goes without."""

    def __init__(
        self, store: Store, engine: "_core.Engine", warn: Callable[[Code, str, str], None]
    ) -> None:
        self._store = store
        self._engine = engine
        self._warn = warn
        self._is_down = False

    async def fetch(self, task: Task, key: str) -> bool:
        """Takes over what the store has under the key of a task; whether it had it whole."""
        return _may_pass(task) and await self._try(self._fetch, task, key)

    async def push(self, task: Task, key: str) -> None:
        """Gives the store what the task's own store has under its key."""
        if _may_pass(task) and task.cache is not None and task.cache.policy != "read":
            await self._try(self._push, task, key)

    async def _try(self, act: Callable[[Task, str], bool], task: Task, key: str) -> bool:
        if self._is_down:
            return False
        try:
            return await asyncio.to_thread(act, task, key)
        except OSError as error:
            if not self._is_down:
                self._is_down = True
                reason = error.strerror or str(error)
                message = f"the run goes on without the store behind the project's own: {reason}"
                self._warn(Code.STORE_UNAVAILABLE, message, task.id)
            return False

    def _fetch(self, task: Task, key: str) -> bool:
        entry = self._store.get(ENTRY + key)
        if entry is None:
            return False
        # First the lists of files, then the files.
        while wanted := self._engine.wanted(task.id, entry):
            for digest in wanted:
                data = self._store.get(BLOB + digest)
                if data is None:
                    # Swept there in the meantime: as good as nothing.
                    return False
                self._engine.take_blob(task.id, digest, data)
        self._engine.take_entry(task.id, entry)
        return True

    def _push(self, task: Task, key: str) -> bool:
        exported = self._engine.export(task.id)
        if exported is None:
            return False
        entry, digests = exported
        missing = self._store.missing([BLOB + digest for digest in digests])
        for name in sorted(missing):
            self._store.put(name, self._engine.blob(task.id, name.removeprefix(BLOB)))
        # Last: whoever finds the entry finds all that it names.
        self._store.put(ENTRY + key, entry)
        return True


def _may_pass(task: Task) -> bool:
    """Whether the results of a task may be known to anybody else at all."""
    return (
        task.cache is not None and task.cache.policy != "session" and task.cache.store != "memory"
    )
