"""Finds and ends what a run left behind. Also a program: what the watcher of a run
becomes when pipec is gone, see `reaper`.

Knows nothing but the standard library, because the program starts without any other.
A process belongs to a run if it was started with the run's id in its environment, or if it is in
the session, or the process group, of one of the run's commands. Where pipec adopts what loses its
parent, it belongs to the run as well if it has become a child of pipec without having been started
as one.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection

_PAUSE_S = 0.01
_MOST_ROUNDS = 1000
_PARENT_FIELD, _GROUP_FIELD, _SESSION_FIELD = 1, 2, 3
_TABLE = 3
"""The descriptor at which the program finds the sessions."""


def end_survivors(
    run_id: str, sessions: Collection[int], *, task: str = "", spared: int | None = None
) -> None:
    """Kills every process of the run, or of one `task` of it, until none is left.

    With `spared`, the watcher, whatever else has become a child of this process is killed too, if
    it has a session of its own: see `_core.adopt_orphans`.
    """
    if not os.path.isdir("/proc/self"):
        _kill_groups(sessions)
        return
    quiet = 0
    known = set(sessions)
    for _ in range(_MOST_ROUNDS):
        found = find_survivors(run_id, known, task=task, spared=spared)
        # A command that nobody had time to tell of: its session may hold what hides its origin.
        known.update(pid for pid in found if _session(pid) == pid)
        # A process that forks while /proc is read may be missed once, not twice.
        quiet = 0 if found else quiet + 1
        if quiet > 1:
            return
        for pid in found:
            _kill(pid)
        if found:
            time.sleep(_PAUSE_S)


def find_survivors(
    run_id: str, sessions: Collection[int], *, task: str = "", spared: int | None = None
) -> list[int]:
    """The live processes of the run, this one excepted. Linux only: elsewhere none is found."""
    marks = {f"PIPEC_RUN_ID={run_id}".encode()}
    if task:
        marks.add(f"PIPEC_TASK={task}".encode())
    own = os.getpid()
    found = []
    for name in _processes():
        pid = int(name)
        if pid in (own, spared):
            continue
        if _is_of_run(pid, marks, sessions) or (spared is not None and _is_orphan(pid, own)):
            found.append(pid)
    return found


def has_live_member(group: int) -> bool:
    """Whether a process group has a member that is not a zombie."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if not os.path.isdir("/proc/self"):
        return True
    # Without a process 1 that reaps, the dead stay in the group for good.
    for name in _processes():
        fields = _stat(int(name))
        if fields and fields[_GROUP_FIELD] == str(group).encode() and fields[0] not in (b"Z", b"X"):
            return True
    return False


def _session(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[_SESSION_FIELD]) if fields else None


def _processes() -> list[str]:
    try:
        return [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _is_of_run(pid: int, marks: set[bytes], sessions: Collection[int]) -> bool:
    fields = _stat(pid)
    if not fields or fields[0] in (b"Z", b"X"):
        return False
    # A command with the terminal has no session of its own, only a group.
    if int(fields[_SESSION_FIELD]) in sessions or int(fields[_GROUP_FIELD]) in sessions:
        return True
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return marks.issubset(file.read().split(b"\0"))
    except OSError:
        return False


def _is_orphan(pid: int, own: int) -> bool:
    """Whether a process was adopted: what pipec itself starts is in its session, or is known."""
    fields = _stat(pid)
    if not fields or fields[0] in (b"Z", b"X"):
        return False
    is_child = int(fields[_PARENT_FIELD]) == own
    return is_child and int(fields[_SESSION_FIELD]) != os.getsid(0)


def _stat(pid: int) -> list[bytes]:
    """State, parent, group, session and the rest; nothing if the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name before it may hold anything, brackets and spaces included.
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _kill_groups(groups: Collection[int]) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def read_table(fd: int) -> set[int]:
    """The sessions in the table of a watcher of the core: a number a line, 0 for none."""
    with open(fd, "rb") as table:
        table.seek(0)
        return {int(line) for line in table.read().split()} - {0}


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    run_id, *folders = sys.argv[1:]
    end_survivors(run_id, read_table(_TABLE))
    if folders:
        import shutil

        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
