"""Starts a child and tells when it has ended, alike on every Python: without asyncio's watchers."""

import asyncio
import contextlib
import fcntl
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from pipec import _core

_LAST_STREAM = 2


class Child:
    """A started process. `pid` is also the id of its session, when it has one of its own."""

    def __init__(self, pid: int, on_stop: Callable[[int], None] | None = None) -> None:
        self.pid = pid
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
            self._ended.set_result(_reap(self.pid))

        loop.add_reader(fd, ended)

    def _watch_thread(self) -> None:
        loop = asyncio.get_running_loop()

        def watch() -> None:
            code = _reap(self.pid)
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
            loop.call_soon_threadsafe(self._ended.set_result, code)

        self._start_thread(watch)

    def _start_thread(self, watch: Callable[[], None]) -> None:
        threading.Thread(target=watch, daemon=True, name=f"pipec-child-{self.pid}").start()


def _reap(pid: int) -> int:
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:
        # Whoever calls us has the system forget its children: nobody knows how they ended.
        return 0
    return os.waitstatus_to_exitcode(status)


def start_child(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    mark: int,
    stdin: int | None,
    stdout: int | None,
    stderr: int | None,
    group: int | None = None,
    pass_fds: Sequence[int] = (),
    on_stop: Callable[[int], None] | None = None,
) -> Child:
    """Starts `argv`, looked up in the PATH of `env`; a stream that is None is our own.

    It has a session of its own, unless it belongs into a `group` of our session; 0 is a new one.
    `mark` tells what it belongs to, see `_core.Marks`. `pass_fds` are descriptors that it gets
    beside the three streams. `on_stop` is told of every signal that stops it. Audit hooks are told
    of it as `pipec.start_process`, with `argv` and `cwd`.

    Raises:
        OSError, ValueError: it cannot be started.
    """
    with contextlib.ExitStack() as copies:
        streams = [
            (_above_streams(stream, copies), number)
            for number, stream in enumerate((stdin, stdout, stderr))
            if stream is not None
        ]
        sys.audit("pipec.start_process", argv, cwd)
        pid = _core.start_process(
            argv,
            env=[f"{name}={text}" for name, text in env.items()],
            cwd=cwd,
            streams=[*streams, *((fd, fd) for fd in pass_fds)],
            group=group,
            mark=mark,
        )
    return Child(pid, on_stop)


def _above_streams(fd: int, copies: contextlib.ExitStack) -> int:
    """The same under a number that is nobody's stream: who has none open gets such numbers."""
    if fd > _LAST_STREAM:
        return fd
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LAST_STREAM + 1)
    copies.callback(os.close, copy)
    return copy
