"""One run at a time in a project: a lock of the operating system, so that a crash leaves none.

The file itself stays. What stands in it while nobody holds the lock was left by a crash.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pipec.codes import Code
from pipec.errors import PipecError
from pipec.frontend.state import make_state_folder
from pipec.runtime.record import timestamp
from pipec.runtime.records import STATE_FOLDER

LOCK_FILE = "run.lock"
_LOOKS_FOR_NOTE = 50
_BETWEEN_LOOKS_S = 0.01
_LONGEST_NOTE = 4096
# Until the year 9999.
_LATEST_MS = 253_402_300_800_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock. `run_id` is empty when it is not a run."""

    pid: int
    started_ms: int
    run_id: str
    action: str


class RunLock:
    """The lock, from `take` to `release`. `left_behind`: the run that crashed with it."""

    def __init__(self, fd: int, left_behind: str) -> None:
        self._fd = fd
        self.left_behind = left_behind

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Lets the next one in."""
        _note(self._fd, b"")
        os.close(self._fd)


def take(
    root: str,
    *,
    run_id: str,
    now_ms: int,
    action: str = "run",
    wait: bool = False,
    on_wait: Callable[[str], None] | None = None,
) -> RunLock:
    """Takes the lock of the project at `root` for `action`; with `wait`, as soon as it is free.

    `on_wait` is told, once, whom it waits for.

    Raises:
        PipecError: somebody else holds it (`RUN_ACTIVE`), or `.pipec` cannot be written.
    """
    path = f"{root}/{STATE_FOLDER}/{LOCK_FILE}"
    try:
        make_state_folder(f"{root}/{STATE_FOLDER}")
        # Not inherited: a child that lives on must not keep the project locked.
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise PipecError(
            Code.STATE_UNWRITABLE,
            f"cannot write `{STATE_FOLDER}/{LOCK_FILE}`: {error.strerror}",
            help=[f"pipec keeps its records and its cache in `{STATE_FOLDER}` beside the pipeline"],
        ) from error
    try:
        _lock(fd, wait=wait, on_wait=on_wait)
    except BaseException:
        os.close(fd)
        raise
    holder = _read_holder(fd)
    note = {"pid": os.getpid(), "started_ms": now_ms, "run_id": run_id, "action": action}
    _note(fd, json.dumps(note).encode())
    return RunLock(fd, holder.run_id if holder else "")


def active_holder(root: str) -> Holder | None:
    """Who holds the lock of the project now; None if nobody does."""
    try:
        fd = os.open(f"{root}/{STATE_FOLDER}/{LOCK_FILE}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _try_lock(fd, fcntl.LOCK_SH):
            return None
        return _read_holder(fd) or Holder(pid=0, started_ms=0, run_id="", action="run")
    finally:
        os.close(fd)


def _lock(fd: int, *, wait: bool, on_wait: Callable[[str], None] | None) -> None:
    if _try_lock(fd, fcntl.LOCK_EX):
        return
    message = _describe(_wait_for_note(fd))
    if not wait:
        raise PipecError(
            Code.RUN_ACTIVE,
            message,
            help=["wait until it is done, or give `--wait`"],
        )
    if on_wait is not None:
        on_wait(message)
    fcntl.flock(fd, fcntl.LOCK_EX)


def _try_lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _describe(holder: Holder | None) -> str:
    if holder is None:
        return "another run is active in this project"
    since = timestamp(holder.started_ms)
    return f"`pipec {holder.action}` is active in this project: process {holder.pid}, since {since}"


def _wait_for_note(fd: int) -> Holder | None:
    """The holder, who notes down who it is just after it took the lock."""
    for _ in range(_LOOKS_FOR_NOTE):
        holder = _read_holder(fd)
        if holder is not None:
            return holder
        time.sleep(_BETWEEN_LOOKS_S)
    return None


def _read_holder(fd: int) -> Holder | None:
    try:
        note = json.loads(os.pread(fd, _LONGEST_NOTE, 0))
        holder = Holder(
            pid=int(note["pid"]),
            started_ms=int(note["started_ms"]),
            run_id=str(note["run_id"]),
            action=str(note["action"]),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    # What cannot be is as good as nothing: a time of another age, a run in another folder.
    is_sound = 0 <= holder.started_ms < _LATEST_MS and "/" not in holder.run_id
    return holder if is_sound else None


def _note(fd: int, data: bytes) -> None:
    # What stands in the file is only for messages and for repairs: a full disk must not stop a run.
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, data, 0)
    except OSError:
        pass
