"""The checks for what is plugged in: the good pass, and each broken promise is found."""

import asyncio
import os
import subprocess
from collections.abc import Collection
from pathlib import Path

import pytest

from pipec.clock import SystemClock
from pipec.ports.executor import Command, Exit, Sink
from pipec.runtime.groups import Groups
from pipec.runtime.process import Processes
from pipec.runtime.reaper import Reaper
from pipec.testing import (
    FakeClock,
    MemoryStore,
    ScriptedExecutor,
    check_clock,
    check_executor,
    check_store,
)

ENV = {"PATH": os.environ["PATH"]}


class FolderStore:
    """A store of files, as an author of one would write it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, name: str, data: bytes) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        own = target.with_suffix(f".{os.urandom(8).hex()}")
        own.write_bytes(data)
        own.rename(target)

    def missing(self, names: Collection[str]) -> set[str]:
        return {name for name in names if not (self.folder / name).exists()}


def test_stores_that_keep_their_promises_pass(tmp_path: Path) -> None:
    store = MemoryStore()
    check_store(lambda: store)
    check_store(lambda: FolderStore(tmp_path))


class Forgets(MemoryStore):
    def put(self, name: str, data: bytes) -> None:
        if len(data) < 1024 * 1024:
            super().put(name, data)


class MixesKinds(MemoryStore):
    def get(self, name: str) -> bytes | None:
        return super().get(name.partition("/")[2])

    def put(self, name: str, data: bytes) -> None:
        super().put(name.partition("/")[2], data)

    def missing(self, names: Collection[str]) -> set[str]:
        return {name for name in names if self.get(name) is None}


class KeepsTheFirst(MemoryStore):
    def put(self, name: str, data: bytes) -> None:
        if self.get(name) is None:
            super().put(name, data)


class MissesNothing(MemoryStore):
    def missing(self, names: Collection[str]) -> set[str]:
        return set()


@pytest.mark.parametrize("broken", [Forgets, MixesKinds, KeepsTheFirst, MissesNothing])
def test_a_store_that_breaks_a_promise_is_found(broken: type[MemoryStore]) -> None:
    store = broken()
    with pytest.raises(AssertionError):
        check_store(lambda: store)


class Host:
    """The machine's own processes."""

    def __init__(self) -> None:
        self.processes = Processes(
            Groups(Reaper("check", ENV, folders=())), SystemClock(), kill_grace_s=0.2
        )

    async def run(self, command: Command, sink: Sink, *, timeout_s: float | None = None) -> Exit:
        return await self.processes.run(command, sink, timeout_s=timeout_s)


def test_processes_are_an_executor() -> None:
    check_executor(Host, env=ENV)


class Swallows(Host):
    async def run(self, command: Command, sink: Sink, *, timeout_s: float | None = None) -> Exit:
        return await super().run(command, lambda _: None, timeout_s=timeout_s)


class NeverTimesOut(Host):
    async def run(self, command: Command, sink: Sink, *, timeout_s: float | None = None) -> Exit:
        if timeout_s is not None:
            return Exit(code=0, duration_ms=0)
        return await super().run(command, sink)


class Outlives(Host):
    """Leaves its command running when the call is cancelled."""

    left: list[subprocess.Popen[bytes]] = []  # noqa: RUF012

    async def run(self, command: Command, sink: Sink, *, timeout_s: float | None = None) -> Exit:
        if "trap" not in command.argv[-1]:
            return await super().run(command, sink, timeout_s=timeout_s)
        process = subprocess.Popen(  # noqa: ASYNC220
            command.argv, cwd=command.cwd, env=command.env, stdout=subprocess.PIPE
        )
        self.left.append(process)
        assert process.stdout is not None
        sink(await asyncio.to_thread(process.stdout.readline))
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


@pytest.mark.parametrize("broken", [Swallows, NeverTimesOut, Outlives, ScriptedExecutor])
def test_an_executor_that_breaks_a_promise_is_found(broken: type[Host]) -> None:
    try:
        with pytest.raises((AssertionError, FileNotFoundError)):
            check_executor(broken, env=ENV)
    finally:
        while Outlives.left:
            with Outlives.left.pop() as process:
                process.kill()


class GoesBack(FakeClock):
    def monotonic(self) -> float:
        self.advance(1)
        return -super().monotonic()


def test_clocks_are_checked() -> None:
    check_clock(SystemClock())
    check_clock(FakeClock())
    with pytest.raises(AssertionError, match="never goes back"):
        check_clock(GoesBack())
    with pytest.raises(AssertionError, match="milliseconds"):
        check_clock(FakeClock(start_ms=1_700_000_000))
    with pytest.raises(ValueError, match="does not go back"):
        FakeClock().advance(-1)
