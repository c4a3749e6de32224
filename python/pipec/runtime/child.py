"""Starts a child and tells when it has ended, alike on every Python: without asyncio's watchers."""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pipec.runtime.fork import start_process

if TYPE_CHECKING:
    import subprocess


class Child:
    """A started process. `pid` is also the id of its session, when it has one of its own."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", on_stop: Callable[[int], None] | None = None
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if on_stop is not None:
            self._watch_stops(on_stop)
        elif hasattr(os, "pidfd_open"):
            self._watch_descriptor()
        else:
            self._watch_thread()

    async def wait(self) -> int:
        """The exit code; minus the number of the signal that ended it. May be awaited again."""
        return await asyncio.shield(self._ended)

    def _watch_descriptor(self) -> None:
        loop = asyncio.get_running_loop()
        fd = os.pidfd_open(self.pid)

        def ended() -> None:
            loop.remove_reader(fd)
            os.close(fd)
            self._ended.set_result(self._process.wait())

        loop.add_reader(fd, ended)

    def _watch_thread(self) -> None:
        loop = asyncio.get_running_loop()

        def watch() -> None:
            code = self._process.wait()
            loop.call_soon_threadsafe(self._ended.set_result, code)

        self._start_thread(watch)

    def _watch_stops(self, on_stop: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()

        def watch() -> None:
            while True:
                _, status = os.waitpid(self.pid, os.WUNTRACED)
                if not os.WIFSTOPPED(status):
                    break
                loop.call_soon_threadsafe(on_stop, os.WSTOPSIG(status))
            code = os.waitstatus_to_exitcode(status)
            # Nobody else need wait for it.
            self._process.returncode = code
            loop.call_soon_threadsafe(self._ended.set_result, code)

        self._start_thread(watch)

    def _start_thread(self, watch: Callable[[], None]) -> None:
        threading.Thread(target=watch, daemon=True, name=f"pipec-child-{self.pid}").start()


def start_child(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    stdin: int | None,
    stdout: int | None,
    stderr: int | None,
    group: int | None = None,
    pass_fds: Sequence[int] = (),
    on_stop: Callable[[int], None] | None = None,
) -> Child:
    """Starts `argv`, looked up in the PATH of `env`; a stream that is None is our own.

    It has a session of its own, unless it belongs into a `group` of our session; 0 is a new one.
    `pass_fds` are descriptors that it gets beside the three streams. `on_stop` is told of every
    signal that stops it.

    Raises:
        OSError: it cannot be started.
    """
    process = start_process(
        argv,
        cwd=cwd,
        env=env,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=group is None,
        process_group=group,
        pass_fds=pass_fds,
    )
    return Child(process, on_stop)
