"""Finds and ends what a run left behind. Also a program: what the watcher of a run
becomes when pipec is gone, see `reaper`.

Knows nothing but the standard library, because the program starts without any other.
A process belongs to a run, or to a task, if it has its mark (`_core.Marks`). Where limits cannot be
set or seen, it does if it was started with the run's id in its environment, or if it is in the
session, or the process group, of one of the run's commands.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection

_PAUSE_S = 0.01
_MOST_ROUNDS = 1000
_GROUP_FIELD, _SESSION_FIELD = 2, 3
_LIMIT = b"Max file locks"
_TASK_BITS = 22
"""The part of a mark that tells the task; all of them are 0 in that of a run."""
_TABLE = 3
"""The descriptor at which the program finds the sessions."""


def end_survivors(run_id: str, sessions: Collection[int], *, mark: int = 0, task: str = "") -> None:
    """Kills every process of the run, or of one `task` of it, until none is left.

    `mark` is that of the run, or of the task; 0: nobody has one.
    """
    if not os.path.isdir("/proc/self"):
        _kill_groups(sessions)
        return
    quiet = 0
    known = set(sessions)
    for _ in range(_MOST_ROUNDS):
        found = find_survivors(run_id, known, mark=mark, task=task)
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
    run_id: str, sessions: Collection[int], *, mark: int = 0, task: str = ""
) -> list[int]:
    """The live processes of the run, this one excepted. Linux only: elsewhere none is found."""
    variables = {f"PIPEC_RUN_ID={run_id}".encode()}
    if task:
        variables.add(f"PIPEC_TASK={task}".encode())
    found = []
    for name in _processes():
        pid = int(name)
        if pid != os.getpid() and _is_of_run(pid, mark, variables, sessions):
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


def _is_of_run(pid: int, mark: int, variables: set[bytes], sessions: Collection[int]) -> bool:
    fields = _stat(pid)
    if not fields or fields[0] in (b"Z", b"X"):
        return False
    # A command with the terminal has no session of its own, only a group.
    if int(fields[_SESSION_FIELD]) in sessions or int(fields[_GROUP_FIELD]) in sessions:
        return True
    if mark and _includes(mark, _limit(pid)):
        return True
    return variables.issubset(_read(f"/proc/{pid}/environ").split(b"\0"))


def _includes(mark: int, limit: int) -> bool:
    is_of_run = mark % (1 << _TASK_BITS) == 0
    return limit == mark or (is_of_run and limit >> _TASK_BITS == mark >> _TASK_BITS)


def _limit(pid: int) -> int:
    """The soft limit in which marks are; 0 if it is none, or not there."""
    for line in _read(f"/proc/{pid}/limits").splitlines():
        if line.startswith(_LIMIT):
            soft = line[len(_LIMIT) :].split()[0]
            return int(soft) if soft.isdigit() else 0
    return 0


def _stat(pid: int) -> list[bytes]:
    """State, parent, group, session and the rest; nothing if the process is gone."""
    # The name before it may hold anything, brackets and spaces included.
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


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
    run_id, mark, *folders = sys.argv[1:]
    end_survivors(run_id, read_table(_TABLE), mark=int(mark))
    if folders:
        import shutil

        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
