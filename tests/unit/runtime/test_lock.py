"""The run lock: one at a time, a name for the holder, nothing to clean up after a crash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipec.codes import Code
from pipec.errors import PipecError
from pipec.runtime.lock import active_holder, take

HOLD = """
import sys
from pipec.runtime.lock import take
take(sys.argv[1], run_id="first", now_ms=1_767_225_600_000)
print("held", flush=True)
sys.stdin.read()
"""


def hold(root: Path) -> "subprocess.Popen[bytes]":
    """A process that holds the lock until it is killed or its input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


def test_a_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        with pytest.raises(PipecError) as caught:
            take(str(tmp_path), run_id="second", now_ms=0)
        assert caught.value.code is Code.RUN_ACTIVE
        assert caught.value.message == (
            f"`pipec run` is active in this project: process {holder.pid}, "
            "since 2026-01-01T00:00:00.000Z"
        )
        found = active_holder(str(tmp_path))
        assert found is not None
        assert (found.pid, found.run_id) == (holder.pid, "first")
        holder.kill()


def test_a_lock_whose_holder_was_killed_is_free_and_says_whose_it_was(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        holder.kill()
        holder.wait()
    with take(str(tmp_path), run_id="second", now_ms=0) as lock:
        assert lock.left_behind == "first"
    with take(str(tmp_path), run_id="third", now_ms=0) as lock:
        assert lock.left_behind == ""


def test_who_waits_is_told_for_whom_and_goes_on_when_the_lock_is_free(tmp_path: Path) -> None:
    told: list[str] = []
    with hold(tmp_path) as holder:

        def let_go(message: str) -> None:
            told.append(message)
            assert holder.stdin is not None
            holder.stdin.close()

        with take(str(tmp_path), run_id="second", now_ms=0, wait=True, on_wait=let_go):
            assert len(told) == 1
            assert str(holder.pid) in told[0]


def test_nobody_holds_a_lock_that_was_released(tmp_path: Path) -> None:
    assert active_holder(str(tmp_path)) is None
    take(str(tmp_path), run_id="a", now_ms=0).release()
    assert active_holder(str(tmp_path)) is None


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = take(str(tmp_path), run_id="a", now_ms=0)
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    lock.release()
    take(str(tmp_path), run_id="b", now_ms=0).release()
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait() == 0


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".pipec").write_text("not a folder")
    with pytest.raises(PipecError) as caught:
        take(str(tmp_path), run_id="a", now_ms=0)
    assert caught.value.code is Code.STATE_UNWRITABLE
    assert os.fspath(tmp_path) not in caught.value.message
