"""The watcher: when the process that started it is gone, so is everything of its run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipec.runtime.survivors import end_survivors, find_survivors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

PARENT = """
import os, subprocess, sys
from pipec.runtime.reaper import Reaper
run_id = sys.argv[1]
reaper = Reaper(run_id, dict(os.environ))
reaper.start()
env = {**os.environ, "PIPEC_RUN_ID": run_id}
# A child, a grandchild in a session of its own, and one that hides its environment.
child = subprocess.Popen(["sh", "-c", sys.argv[2]], env=env, start_new_session=True)
reaper.watch(child.pid)
print("started", flush=True)
sys.stdin.readline()
reaper.stop()
"""


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A pipe that ends when the last process that has it open is gone."""
    path = tmp_path / "alive"
    os.mkfifo(path)
    return path


def start_parent(run_id: str, script: str) -> "subprocess.Popen[bytes]":
    # What the script starts must not hold the parent's output, or nobody would see its end.
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, run_id, f"exec >/dev/null; {script}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    "script",
    [
        "exec sleep 300",
        "sleep 300 & sleep 300",
        "setsid sleep 300 & wait",
        "env -i sleep 300",
        "trap '' TERM INT HUP; while :; do sleep 300; done",
        "(setsid sh -c 'sleep 300 & sleep 300' &) ; exec sleep 300",
    ],
)
def test_nothing_of_a_run_outlives_its_killed_parent(fifo: Path, script: str) -> None:
    run_id = f"test-{os.getpid()}-{fifo.parent.name}"
    # Every process of the run has the pipe open: its end is the end of the last of them.
    parent = start_parent(run_id, f"exec 9>{fifo}; echo >&9; {script}")
    with parent, fifo.open("rb") as alive:
        assert alive.readline() == b"\n"
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        parent.send_signal(signal.SIGKILL)
        assert alive.read() == b""
    assert find_survivors(run_id, ()) == []


def test_a_run_that_ends_well_loses_nothing(fifo: Path) -> None:
    run_id = f"test-{os.getpid()}-{fifo.parent.name}"
    with start_parent(run_id, "setsid sleep 300 & true") as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.communicate(b"\n", timeout=20)
    left = find_survivors(run_id, ())
    end_survivors(run_id, ())
    assert len(left) == 1
