"""Tasks that have the terminal, on a real one: keys, modes, Ctrl-C, Ctrl-Z and `fg`."""

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Project
from tests.e2e.records import read_journal, read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left
from tests.e2e.terminals import Gate, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

PIPELINE = """
name = "app"

[tasks.ask]
interactive = true
run = '''{run}'''

[tasks.next]
depends-on = ["ask"]
run = "true"
"""

# What a shell with job control does with what it calls.
SHELL = ("bash", "-mc")


def open_terminal(
    project: Project, run: str, *words: str, before: tuple[str, ...] = (), term: str = "dumb"
) -> Terminal:
    project.write("pipeline.toml", PIPELINE.format(run=run))
    env = {MARK: str(project.folder), "NO_COLOR": "1", "TERM": term}
    words = words or ("run", "next")
    return Terminal(project, *words, before=before, env=env, data=subprocess.PIPE)


def shows(text: str) -> "Callable[[str], bool]":
    return lambda shown: text in shown


def the_record(project: Project) -> dict:
    (record,) = read_records(project.folder)
    return record


def test_it_is_in_the_foreground_from_the_start_and_reads_keys(project: Project) -> None:
    check = 'import os; print("in front:", os.tcgetpgrp(0) == os.getpgrp() != os.getsid(0))'
    with open_terminal(project, f"python3 -c '{check}'; read -r name; echo hi $name") as terminal:
        terminal.until(shows("in front: True"))
        terminal.type(b"you\n")
        terminal.until(shows("hi you"))
        terminal.end()
    assert terminal.process.returncode == 0
    assert statuses(the_record(project)) == {"ask": "passed", "next": "passed"}


def test_it_runs_alone(project: Project) -> None:
    others = "".join(f'[tasks.t{number}]\nrun = "true"\n' for number in range(4))
    project.write("pipeline.toml", PIPELINE.format(run="read -r name") + others)
    names = ["ask", *(f"t{number}" for number in range(4))]
    with Terminal(project, "run", *names, "--concurrency", "4") as terminal:
        terminal.type(b"you\n")
        terminal.end()
    record = the_record(project)
    assert set(statuses(record).values()) == {"passed"}
    running: set[str] = set()
    for event in read_journal(project.folder, record["run_id"]):
        if event["event"] == "task_started":
            running.add(event["task"])
        if event["event"] == "task_finished":
            running.discard(event["task"]["id"])
        assert "ask" not in running or running == {"ask"}


def test_nothing_else_is_said_meanwhile(project: Project) -> None:
    project.write(
        "pipeline.toml",
        """
name = "app"

[tasks.web]
service = { ready = "ready" }
run = "echo ready; cat chat; echo from the service; sleep 300"

[tasks.ask]
interactive = true
depends-on = ["web"]
run = "read -r name; cat gate; read -r name"
""",
    )
    chat, gate = Gate(project, "chat"), Gate(project, "gate")
    words = ("run", "ask", "--log-order", "stream", "--output-logs", "full")
    with Terminal(project, *words, data=subprocess.PIPE) as terminal:
        terminal.until(shows("web: ready after"))
        terminal.type(b"one\n")
        gate.open()
        chat.open()
        wait_until(lambda: "from the service" in log_of(project, "web"))
        terminal.read_what_is_there()
        assert "from the service" not in terminal.shown()
        terminal.type(b"two\n")
        end = terminal.end()
    assert end.index("two") < end.index("from the service")


def log_of(project: Project, task: str) -> str:
    (log,) = project.folder.glob(f".pipec/runs/*/logs/{task}.log")
    return log.read_text()


def wait_until(is_reached: "Callable[[], bool]") -> None:
    """Looks again and again at what nobody tells of; the time limit of the test ends it."""
    while not is_reached():
        time.sleep(0.01)


def test_modes_come_back_whatever_it_did(project: Project) -> None:
    with open_terminal(project, "stty raw -echo; echo set; head -c 1") as terminal:
        before = terminal.modes()
        terminal.until(shows("set"))
        assert terminal.modes() != before
        terminal.type(b"x")
        terminal.end()
        assert terminal.modes() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_modes_come_back_when_the_run_is_ended(project: Project, number: signal.Signals) -> None:
    with open_terminal(project, "stty raw -echo; echo set; cat") as terminal:
        before = terminal.modes()
        terminal.until(shows("set"))
        terminal.process.send_signal(number)
        terminal.end()
        assert terminal.modes() == before
    assert terminal.process.returncode == 143
    record = the_record(project)
    assert (record["status"], record["reason"]) == ("interrupted", number.name)
    assert statuses(record) == {"ask": "cancelled", "next": "skipped"}
    assert_none_left(str(project.folder))


def test_modes_come_back_even_when_pipec_gives_up(project: Project) -> None:
    stubborn = 'trap "" TERM; stty raw -echo; echo set; while :; do read -r x; done'
    with open_terminal(project, stubborn) as terminal:
        before = terminal.modes()
        terminal.until(shows("set"))
        # All three are there before it looks at the first.
        os.kill(terminal.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCONT):
            terminal.process.send_signal(number)
        terminal.end()
        assert terminal.modes() == before
    assert terminal.process.returncode in (130, 143)
    assert_none_left(str(project.folder))


def test_time_runs_out_for_everybody_who_has_the_terminal(project: Project) -> None:
    full = r"stty raw -echo; printf '\033[?1049h\033[?25l'; sleep 300 & cat"
    words = ("run", "ask", "--timeout", "300ms")
    with open_terminal(project, full, *words, term="xterm-256color") as terminal:
        before = terminal.modes()
        terminal.end()
        assert terminal.modes() == before
        assert not terminal.screen.cursor.hidden
    assert b"\x1b[?1047l" in terminal.output.split(b"\x1b[?1049h")[1]
    assert terminal.process.returncode == 1
    assert the_record(project)["reason"].startswith("timed out")
    assert_none_left(str(project.folder))


def test_a_task_has_its_time_too(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.ask]\ninteractive = true\ntimeout = "300ms"\n'
        'run = "sleep 300 & cat"\n',
    )
    with Terminal(project, "run", "ask", env={MARK: str(project.folder)}) as terminal:
        terminal.end()
    (task,) = the_record(project)["tasks"]
    assert (task["status"], task["attempts"][0]["timed_out"]) == ("failed", True)
    assert_none_left(str(project.folder))


def test_ctrl_c_ends_the_run_with_the_task(project: Project) -> None:
    with open_terminal(project, "cat") as terminal:
        # A shell that is about to start a program may lose a key: here is the program.
        terminal.type(b"ready\n")
        terminal.until(lambda shown: shown.count("ready") == 2)
        terminal.type(b"\x03")
        terminal.end()
    assert terminal.process.returncode == 130
    record = the_record(project)
    assert (record["status"], record["reason"]) == ("interrupted", "SIGINT")
    assert statuses(record) == {"ask": "cancelled", "next": "skipped"}


def test_ctrl_c_ends_the_script_that_called_pipec(project: Project) -> None:
    script = ("sh", "-c", '"$@"; echo afterwards', "sh")
    with open_terminal(project, "cat", before=script) as terminal:
        # A shell that is about to start a program may lose a key: here is the program.
        terminal.type(b"ready\n")
        terminal.until(lambda shown: shown.count("ready") == 2)
        terminal.type(b"\x03")
        end = terminal.end()
    assert "afterwards" not in end
    assert terminal.process.returncode == -signal.SIGINT


def test_a_task_that_takes_ctrl_c_itself_goes_on(project: Project) -> None:
    heard = "trap 'echo heard' INT; echo ready; read -r a || :; read -r a"
    with open_terminal(project, heard.replace("'", '"')) as terminal:
        terminal.until(shows("ready"))
        terminal.type(b"\x03")
        terminal.until(shows("heard"))
        terminal.type(b"\n\n")
        terminal.end()
    assert terminal.process.returncode == 0


def test_ctrl_z_stops_pipec_with_the_task_and_fg_lets_both_go_on(project: Project) -> None:
    shell = (*SHELL, '"$@"; echo stopped $?; read -r go; fg >/dev/null; echo ended $?', "bash")
    task = "stty -echo; echo ready; read -r name; echo hi $name"
    with open_terminal(project, task, before=shell) as terminal:
        before = terminal.modes()
        terminal.until(shows("ready"))
        of_task = terminal.modes()
        assert of_task != before
        terminal.type(b"\x1a")
        terminal.until(shows("stopped 148"))
        assert terminal.modes() == before
        terminal.type(b"go\n")
        terminal.type(b"you\n")
        end = terminal.until(shows("ended 0"))
        terminal.end()
    assert "hi you" in end
    assert statuses(the_record(project)) == {"ask": "passed", "next": "passed"}


def test_ctrl_z_stops_nothing_that_nobody_could_let_go_on(project: Project) -> None:
    with open_terminal(project, "echo ready; read -r name; echo hi $name") as terminal:
        terminal.until(shows("ready"))
        terminal.type(b"\x1a")
        terminal.type(b"you\n")
        terminal.until(shows("hi you"))
        terminal.end()
    assert terminal.process.returncode == 0


def test_in_the_background_it_waits_for_the_terminal(project: Project) -> None:
    shell = (*SHELL, '"$@" & wait %1; echo stopped $?; fg >/dev/null; echo ended $?', "bash")
    with open_terminal(project, "read -r name; echo hi $name", before=shell) as terminal:
        terminal.until(shows(f"stopped {128 + signal.SIGTTIN}"))
        terminal.type(b"you\n")
        end = terminal.until(shows("ended 0"))
        terminal.end()
    assert "hi you" in end


def test_bg_and_fg_while_it_runs_give_the_terminal_and_not_more(project: Project) -> None:
    shell = (*SHELL, '"$@"; bg >/dev/null; echo back; fg >/dev/null; echo ended $?', "bash")
    task = "echo ready; cat gate >/dev/null; read -r name; echo hi $name"
    gate = Gate(project, "gate")
    with open_terminal(project, task, before=shell) as terminal:
        terminal.until(shows("ready"))
        terminal.type(b"\x1a")
        terminal.until(shows("back"))
        # A shell tells nobody of `fg` who runs: it is seen when the keys are asked for.
        wait_until(lambda: terminal.front() != terminal.process.pid)
        gate.open()
        terminal.type(b"you\n")
        end = terminal.until(shows("ended 0"))
        terminal.end()
    assert "hi you" in end


def test_a_terminal_that_closes_ends_the_run(project: Project) -> None:
    with open_terminal(project, "echo ready; cat; echo more; sleep 300") as terminal:
        terminal.until(shows("ready"))
        terminal.close()
        terminal.process.wait(timeout=30)
    assert the_record(project)["status"] == "interrupted"
    assert_none_left(str(project.folder))


def test_nothing_is_left_of_it_when_pipec_is_killed(project: Project) -> None:
    hidden = "env -i sleep 300 & echo ready; cat"
    with open_terminal(project, hidden) as terminal:
        terminal.until(shows("ready"))
        terminal.process.kill()
        terminal.process.wait()
        # Whoever lives holds the terminal open.
        terminal.end()
    assert_none_left(str(project.folder))


def test_without_a_terminal_it_has_the_streams_of_pipec(project: Project) -> None:
    project.write(
        "pipeline.toml", PIPELINE.format(run="read -r name; echo hi $name; ps -o pgid= $$")
    )
    process = project.start("run", "ask", stdin=subprocess.PIPE, start_new_session=True)
    out, _ = process.communicate(b"you\n", timeout=30)
    assert process.returncode == 0
    said, group = out.decode().splitlines()
    assert said == "hi you"
    assert int(group) != process.pid


def test_without_a_terminal_an_interrupt_is_passed_on(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE.format(run="sleep 300 & echo ready; wait"))
    mark = str(project.folder)
    process = project.start("run", "next", start_new_session=True, env={MARK: mark})
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert_none_left(mark)
