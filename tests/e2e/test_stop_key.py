"""Ctrl-Z at every moment of a task that has the terminal, below a shell with job control."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records
from tests.e2e.survivors import MARK, assert_none_left
from tests.e2e.terminals import Gate, SlowProgram, Terminal

STOP = b"\x1a"

PIPELINE = """
name = "app"

[tasks.ask]
interactive = true
run = {run}

[tasks.next]
depends-on = ["ask"]
run = "true"
"""

# What starts a program while Ctrl-Z is pressed: pipec itself, and shells that do it differently.
STARTERS = {
    "pipec": '{ argv = ["./slow", "hello", "-"] }',
    "sh": '"./slow hello; echo after"',
    "bash": '{ argv = ["bash", "-c", "./slow hello; echo after"] }',
    "python": '{ argv = ["python3", "spawn.py"] }',
    "a shell in a shell": '''"sh -c './slow hello; echo after'; echo last"''',
}


class Job:
    """A run of pipec that a shell waits for, on a terminal; the shell then does as it is told."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._modes = terminal.modes()

    def until(self, text: str, times: int = 1) -> str:
        return self.terminal.until(lambda shown: shown.count(text) >= times)

    def stop(self, times: int = 1) -> None:
        """Presses Ctrl-Z and waits until the shell has its terminal back."""
        self.terminal.type(STOP)
        self.until_stopped(times)

    def until_stopped(self, times: int = 1) -> None:
        """Waits until the shell has said so this often; its terminal is then as it was."""
        self.until("stopped 148", times)
        assert self.terminal.front() == self.terminal.process.pid
        assert self.terminal.modes() == self._modes

    def tell_shell(self, command: str) -> None:
        self.terminal.type(command.encode() + b"\n")

    def go_on(self, then: str) -> None:
        """Lets the shell bring the run to the foreground, and waits until it is there."""
        self.tell_shell(f"fg >/dev/null; {then}")
        wait_until(lambda: self.terminal.front() != self.terminal.process.pid)

    def end(self) -> str:
        return self.terminal.end()


@contextmanager
def job(project: Project, run: str) -> Iterator[Job]:
    project.write("pipeline.toml", PIPELINE.format(run=run))
    project.write("hello", "hello you\n")
    project.write("spawn.py", "import subprocess\nsubprocess.run(['./slow', 'hello'])\n")
    # No loop: a shell leaves loops when what it waits for is stopped.
    told = 'read -r command; eval "$command"; '
    script = f'"$@"; echo stopped $?; {told * 4}'
    env = {MARK: str(project.folder), "NO_COLOR": "1", "TERM": "dumb"}
    shell = ("bash", "-mc", script, "bash")
    with Terminal(project, "run", "next", before=shell, env=env, data=subprocess.PIPE) as terminal:
        yield Job(terminal)
    assert_none_left(str(project.folder))


def wait_until(is_reached: Callable[[], bool]) -> None:
    """Looks again and again at what nobody tells of; the time limit of the test ends it."""
    while not is_reached():
        time.sleep(0.01)


def status_of_the_run(project: Project) -> str:
    (record,) = read_records(project.folder)
    return record["status"]


@pytest.mark.parametrize("starter", STARTERS)
def test_while_a_program_is_being_started(project: Project, starter: str) -> None:
    with SlowProgram(project, "slow") as slow, job(project, STARTERS[starter]) as run:
        wait_until(slow.is_being_started)
        run.terminal.type(STOP)
        run.until("^Z")
        if starter == "pipec":
            # Who starts it can do nothing else: what is started has to be there first.
            slow.let_start()
        run.until_stopped()
        slow.let_start()
        run.go_on("echo ended $?; exit")
        if starter == "pipec":
            run.terminal.type(b"\x04")
        end = run.end()
    assert "hello you" in end
    assert "ended 0" in end
    assert status_of_the_run(project) == "passed"


def test_twice_while_a_program_is_being_started(project: Project) -> None:
    with SlowProgram(project, "slow") as slow, job(project, STARTERS["sh"]) as run:
        wait_until(slow.is_being_started)
        run.stop()
        run.go_on("echo stopped $?")
        run.stop(times=2)
        slow.let_start()
        run.tell_shell("fg >/dev/null; echo ended $?; exit")
        assert "ended 0" in run.end()
    assert status_of_the_run(project) == "passed"


def test_the_second_of_two_is_heard_as_well(project: Project) -> None:
    with SlowProgram(project, "slow") as slow, job(project, STARTERS["pipec"]) as run:
        wait_until(slow.is_being_started)
        run.terminal.type(STOP + STOP)
        # What the first has put on the screen, the second may wipe off.
        run.until("^Z")
        slow.let_start()
        run.until_stopped()
        run.go_on("echo ended $?; exit")
        run.terminal.type(b"\x04")
        assert "ended 0" in run.end()
    assert status_of_the_run(project) == "passed"


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("kill %1; fg", "SIGTERM"),
        ("kill -INT %1; fg", "SIGINT"),
        ("kill -HUP %1; bg", "SIGHUP"),
    ],
)
def test_what_was_stopped_on_its_way_can_be_ended(project: Project, end: str, reason: str) -> None:
    with SlowProgram(project, "slow") as slow, job(project, STARTERS["sh"]) as run:
        wait_until(slow.is_being_started)
        run.stop()
        run.tell_shell(f"{end}; exit")
        assert f"1 cancelled, 1 skipped, {reason}" in run.end()
    assert status_of_the_run(project) == "interrupted"


def test_what_was_stopped_on_its_way_ends_with_the_terminal(project: Project) -> None:
    with SlowProgram(project, "slow") as slow, job(project, STARTERS["sh"]) as run:
        wait_until(slow.is_being_started)
        run.stop()
        run.terminal.close()
        run.terminal.process.wait()
        wait_until(lambda: status_of_the_run(project) == "interrupted")


def test_in_the_background_it_goes_on_until_it_reads(project: Project) -> None:
    run_slow = '"./slow hello; read -r name; echo hi $name"'
    with SlowProgram(project, "slow") as slow, job(project, run_slow) as run:
        wait_until(slow.is_being_started)
        run.stop()
        run.tell_shell("bg >/dev/null; wait %1; echo waits $?")
        slow.let_start()
        run.until(f"waits {128 + signal.SIGTTIN}")
        run.go_on("echo ended $?; exit")
        run.terminal.type(b"me\n")
        end = run.end()
    assert "hi me" in end
    assert "ended 0" in end


def test_before_the_task_has_the_terminal(project: Project) -> None:
    gate = Gate(project, "gate")
    with job(
        project, '"cat hello"\ndepends-on = ["first"]\n[tasks.first]\nrun = "cat gate"'
    ) as run:
        wait_until(lambda: bool(read_records(project.folder)))
        run.stop()
        run.tell_shell("fg >/dev/null; echo ended $?; exit")
        gate.open()
        assert "ended 0" in run.end()
    assert status_of_the_run(project) == "passed"


def test_pressed_twice_it_stops_once(project: Project) -> None:
    with job(project, '"cat hello; cat; echo after"') as run:
        run.until("hello you")
        run.terminal.type(STOP + STOP)
        run.until_stopped()
        run.go_on("echo ended $?; exit")
        run.terminal.type(b"more\n\x04")
        end = run.end()
    assert "after" in end
    assert "ended 0" in end


def test_who_ignores_it_goes_on_with_pipec(project: Project) -> None:
    with job(project, """'trap "" TSTP; cat hello; read -r name; echo hi $name'""") as run:
        run.until("hello you")
        run.terminal.type(STOP)
        run.terminal.type(b"you\n")
        run.until("hi you")
        run.tell_shell("exit")
        assert "stopped 0" in run.end()


def test_who_takes_it_goes_on_with_pipec(project: Project) -> None:
    heard = (
        """'trap "echo heard" TSTP; echo hello you; read -r a || :; read -r name; echo hi $name'"""
    )
    with job(project, heard) as run:
        run.until("hello you")
        run.terminal.type(STOP)
        run.until("heard")
        run.terminal.type(b"you\n")
        run.terminal.type(b"you\n")
        run.until("hi")
        run.tell_shell("exit")
        assert "stopped 0" in run.end()


def test_all_of_a_pipe_stop(project: Project) -> None:
    with job(project, '"cat hello - | cat | cat"') as run:
        run.until("hello you")
        run.stop()
        run.go_on("echo ended $?; exit")
        run.terminal.type(b"through all\n\x04")
        end = run.end()
    assert end.count("through all") == 2
    assert "ended 0" in end


def test_between_two_steps(project: Project) -> None:
    gate = Gate(project, "gate")
    with job(project, '["cat hello gate", "cat"]') as run:
        run.until("hello you")
        first = run.terminal.front()
        gate.open()
        while run.terminal.front() == first:
            pass
        run.stop()
        run.go_on("echo ended $?; exit")
        run.terminal.type(b"\x04")
        assert "ended 0" in run.end()
    assert status_of_the_run(project) == "passed"


LATE = """
import os, signal, subprocess, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTSTP])
print("ready", flush=True)
while signal.SIGTSTP not in signal.sigpending():
    signal.sigtimedwait([signal.SIGUSR1], 0.01)
reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])
    os.write(writing, b"x")
    open("gate").read()
    os._exit(0)
os.read(reading, 1)
open("child", "w").write(str(pid))
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])
os.waitpid(pid, 0)
"""


def test_who_was_started_meanwhile_stops_with_the_others(project: Project) -> None:
    project.write("late.py", LATE)
    Gate(project, "gate")
    with job(project, '"exec python3 late.py"') as run:
        run.until("ready")
        run.stop()
        child = (project.folder / "child").read_text()
        stat = Path(f"/proc/{child}/stat")
        wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
        gate_is_open = subprocess.Popen(["sh", "-c", f": > {project.folder}/gate"])
        run.tell_shell("fg >/dev/null; echo ended $?; exit")
        assert "ended 0" in run.end()
        gate_is_open.wait()
