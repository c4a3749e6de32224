"""Processes that hide from the end of their run or task: whatever ends it, none of them is left."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left, processes_with
from tests.e2e.watching import Watch
from tests.e2e.ways import WAYS

DEAF = 'trap "" INT TERM HUP'
HOLDS_THE_PIPE = f"({DEAF}; exec sleep 300) &"
# Each is gone from the group of its task, and hears nobody who asks.
HIDDEN = """
(trap "" INT TERM HUP; exec setsid sleep 300) </dev/null >/dev/null 2>&1 &
(trap "" INT TERM HUP; (setsid sleep 300 &) &) </dev/null >/dev/null 2>&1
"""


# And these have nothing left that tells where they come from, but for a mark that the test knows.
# The script goes on when they are all there.
NAMELESS = f"""
[ -p there ] || mkfifo there
cat >nameless.sh <<'END'
trap "" INT TERM HUP
echo >there
exec sleep 299
END
cat >daemon.sh <<'END'
(setsid sh nameless.sh &)
exec sh nameless.sh
END
((env -i {MARK}="${MARK}" setsid sh nameless.sh &) &) </dev/null >/dev/null 2>&1
((env -i {MARK}="${MARK}" setsid sh daemon.sh &) &) </dev/null >/dev/null 2>&1
exec 9<>there
read -r _ <&9; read -r _ <&9; read -r _ <&9
exec 9<&-
"""


def nameless(mark: str) -> set[int]:
    """Those of them that live."""
    words = {"sh nameless.sh", "sleep 299"}
    return {pid for pid, command in processes_with(mark).items() if command in words}


def write(project: Project, script: str, limit: str = "") -> None:
    """A task with this script, which says when all of it has been done."""
    project.write("hide.sh", f"{script}\necho > started\nexec sleep 300\n")
    project.write(
        "pipeline.toml",
        f'name = "app"\n[tasks.hide]\nrun = "exec sh hide.sh"\n{limit}\n'
        '[tasks.next]\ndepends-on = ["hide"]\nrun = "true"\n',
    )
    os.mkfifo(project.folder / "started")
    compile_for_the_core(project)


def compile_for_the_core(project: Project) -> None:
    """Given options with values, the core runs only what is compiled already."""
    assert project.pipec("list").status == 0


def start(project: Project, script: str, *words: str, limit: str = "") -> subprocess.Popen[bytes]:
    """Starts a run of a task with this script, and comes back when all of it has been done."""
    write(project, script, limit)
    process = project.start("run", "next", *words, env={MARK: str(project.folder)})
    (project.folder / "started").read_text()
    return process


def the_record(project: Project) -> dict:
    (record,) = read_records(project.folder)
    return record


@WAYS
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_who_hides(
    project: Project, number: signal.Signals, status: int, way: tuple[str, ...]
) -> None:
    process = start(project, HIDDEN + NAMELESS, *way)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == status
    assert_none_left(str(project.folder), within_s=0)
    record = the_record(project)
    assert (record["status"], record["reason"]) == ("interrupted", number.name)
    assert statuses(record) == {"hide": "cancelled", "next": "skipped"}


@WAYS
def test_who_is_deaf_is_killed_after_the_grace(project: Project, way: tuple[str, ...]) -> None:
    process = start(project, f"{HIDDEN}\n{HOLDS_THE_PIPE}\n{DEAF}", *way)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert_none_left(str(project.folder), within_s=0)
    (step,) = the_record(project)["tasks"][0]["attempts"][0]["steps"]
    assert (step["signal"], step["exit_code"]) == ("SIGKILL", 137)


@WAYS
def test_a_second_signal_does_not_wait_for_who_is_deaf(
    project: Project, way: tuple[str, ...]
) -> None:
    process = start(project, f"{HIDDEN}\n{HOLDS_THE_PIPE}\n{DEAF}", *way)
    stop(process)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        process.send_signal(number)
    process.communicate(timeout=60)
    assert_none_left(str(project.folder), within_s=0)
    record = the_record(project)
    assert record["status"] == "interrupted"
    assert process.returncode == record["exit_code"]
    (step,) = record["tasks"][0]["attempts"][0]["steps"]
    assert step["signal"] == "SIGKILL"


@WAYS
def test_a_third_signal_gives_up_and_still_nothing_is_left(
    project: Project, way: tuple[str, ...]
) -> None:
    process = start(project, f"{HIDDEN}\n{HOLDS_THE_PIPE}\n{DEAF}", *way)
    stop(process)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCONT):
        process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    assert_none_left(str(project.folder))
    assert the_record(project)["status"] == "running"
    # Who comes next says what became of it.
    assert project.pipec("run", "none").status == 2
    assert "interrupted" in project.pipec("runs", "ls").stdout


def stop(process: subprocess.Popen[bytes]) -> None:
    """What is sent from now on is all there when it goes on."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


@WAYS
@pytest.mark.parametrize("more", ["", "interactive = true"], ids=["", "interactive"])
def test_a_task_out_of_time_leaves_nothing(
    project: Project, way: tuple[str, ...], more: str
) -> None:
    process = start(project, HIDDEN + NAMELESS, *way, limit=f'timeout = "2s"\n{more}')
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert_none_left(str(project.folder), within_s=0)
    record = the_record(project)
    assert record["tasks"][0]["error"]["code"] == "PIPEC_TIMED_OUT"
    assert statuses(record) == {"hide": "failed", "next": "skipped"}


@WAYS
def test_a_run_out_of_time_leaves_nothing(project: Project, way: tuple[str, ...]) -> None:
    process = start(project, HIDDEN + NAMELESS, *way, "--timeout", "1s")
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert_none_left(str(project.folder), within_s=0)
    record = the_record(project)
    assert record["reason"].startswith("timed out")
    assert statuses(record) == {"hide": "cancelled", "next": "skipped"}


@WAYS
def test_a_run_that_is_killed_leaves_nothing(project: Project, way: tuple[str, ...]) -> None:
    process = start(project, f"{HIDDEN}\n{NAMELESS}\n{HOLDS_THE_PIPE}\n{DEAF}", *way)
    process.kill()
    process.communicate(timeout=60)
    assert_none_left(str(project.folder))
    assert the_record(project)["status"] == "running"


@WAYS
def test_a_task_out_of_time_takes_nothing_of_another(
    project: Project, way: tuple[str, ...]
) -> None:
    project.write("hide.sh", f"{NAMELESS}\nexec sleep 300\n")
    # It ends when the other one is over, and leaves what belongs to nobody but itself.
    project.write(
        "stay.sh",
        f'((env -i {MARK}="${MARK}-stays" setsid sh -c "echo >there; exec cat ends" &) &) \\\n'
        "  </dev/null >/dev/null 2>&1\n"
        "read -r _ <there\nread -r _ <over\n",
    )
    project.write(
        "pipeline.toml",
        """
        name = "app"
        [tasks.hide]
        cwd = "hide"
        run = "exec sh ../hide.sh"
        timeout = "2s"
        [tasks.stay]
        cwd = "stay"
        run = "sh ../stay.sh"
        [tasks.after]
        depends-on = ["hide"]
        run = "echo >../stay/over"
        cwd = "hide"
        [tasks.all]
        depends-on = ["after", "stay"]
        """,
    )
    for name in ("hide", "stay"):
        (project.folder / name).mkdir()
    for name in ("there", "over", "ends"):
        os.mkfifo(project.folder / "stay" / name)
    compile_for_the_core(project)
    words = ("run", "all", "--concurrency", "2", "--continue", "always")
    process = project.start(*words, *way, env={MARK: str(project.folder)})
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert_none_left(str(project.folder), within_s=0)
    assert statuses(the_record(project)) == {
        "hide": "failed",
        "after": "passed",
        "stay": "passed",
        "all": "passed",
    }
    stays = f"{project.folder}-stays"
    assert list(processes_with(stays).values()) == ["cat ends"]
    (project.folder / "stay" / "ends").write_text("")
    assert_none_left(stays)


@WAYS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_pipec_in_a_task_of_pipec_leaves_nothing(
    project: Project, number: signal.Signals, way: tuple[str, ...]
) -> None:
    project.write("inner/hide.sh", f"{NAMELESS}\necho >up\nexec sleep 300\n")
    project.write("inner/pipeline.toml", 'name = "inner"\n[tasks.hide]\nrun = "sh hide.sh"\n')
    os.mkfifo(project.folder / "inner" / "up")
    inner = shlex.join([sys.executable, "-m", "pipec", "run", "hide", *way])
    process = start(project, f"{NAMELESS}\n(cd inner; {inner}) &\nread -r _ <inner/up", *way)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert_none_left(str(project.folder))
    (inside,) = read_records(project.folder / "inner")
    assert inside["status"] == ("interrupted" if number is signal.SIGTERM else "running")


@WAYS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_where_nothing_can_be_marked_sessions_and_variables_tell(
    project: Project, number: signal.Signals, way: tuple[str, ...]
) -> None:
    write(project, f"{HIDDEN}\n{HOLDS_THE_PIPE}")
    # No mark is as low as this.
    words = ["prlimit", "--locks=9", sys.executable, "-m", "pipec", "run", "next", *way]
    env = {**project.environment, MARK: str(project.folder)}
    with subprocess.Popen(words, cwd=project.folder, env=env) as process:
        (project.folder / "started").read_text()
        process.send_signal(number)
    assert_none_left(str(project.folder))


STEPS = {
    "call": '{ call = "steps:work" }',
    "agent": '{ agent = "a", prompt = "x" }',
}


@pytest.mark.parametrize("kind", STEPS)
def test_a_step_of_any_kind_that_is_out_of_time_leaves_nothing(project: Project, kind: str) -> None:
    project.write("hide.sh", f"{NAMELESS}\nexec sleep 300\n")
    project.write("steps.py", "import os\ndef work(ctx):\n    os.system('exec sh hide.sh')\n")
    project.write(
        "pipeline.toml",
        'name = "app"\nagents.a.command = ["sh", "hide.sh"]\n'
        f'[tasks.hide]\ntimeout = "3s"\nrun = {STEPS[kind]}\n',
    )
    process = project.start("run", "hide", env={MARK: str(project.folder)})
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert_none_left(str(project.folder), within_s=0)
    assert the_record(project)["tasks"][0]["error"]["code"] == "PIPEC_TIMED_OUT"
    assert (project.folder / "there").is_fifo()


def serve(project: Project) -> None:
    """A service that hides what it starts, and a task that needs it and waits."""
    project.write("hide.sh", f"{NAMELESS}\necho up\nexec sleep 300\n")
    project.write("config", "1\n")
    project.write(
        "pipeline.toml",
        """
        name = "app"
        [tasks.web]
        inputs = ["config"]
        run = "exec sh hide.sh"
        service = { ready = "up" }
        [tasks.test]
        depends-on = ["web"]
        run = "read -r word <gate; exit $word"
        """,
    )


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGKILL])
def test_a_service_leaves_nothing(project: Project, number: signal.Signals | None) -> None:
    serve(project)
    os.mkfifo(project.folder / "gate")
    process = project.start("run", "test", env={MARK: str(project.folder)})
    with (project.folder / "gate").open("w") as gate:
        if number is not None:
            process.send_signal(number)
            process.communicate(timeout=60)
        else:
            gate.write("0\n")
            gate.flush()
            process.communicate(timeout=60)
            assert process.returncode == 0
    assert_none_left(str(project.folder), within_s=10 if number is signal.SIGKILL else 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_service_of_a_watch_leaves_nothing_when_it_changes_and_when_all_ends(
    project: Project, watch: Callable[..., Watch], number: signal.Signals
) -> None:
    serve(project)
    project.write("gate", "0\n")
    watching = watch("test")
    watching.rest()
    first = nameless(watching.mark)
    assert len(first) == 3
    project.write("config", "2\n")
    watching.rest()
    second = nameless(watching.mark)
    assert len(second) == 3
    assert not first & second
    watching.end(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_task_of_a_watch_leaves_nothing_when_it_is_ended_and_when_all_ends(
    project: Project, watch: Callable[..., Watch], number: signal.Signals
) -> None:
    project.write("src", "1\n")
    project.write("hide.sh", f"{NAMELESS}\necho up\nexec sleep 300\n")
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.hide]\ninputs = ["src"]\nrun = "exec sh hide.sh"\n',
    )
    watching = watch("hide")
    watching.until("output_chunk")
    first = nameless(watching.mark)
    assert len(first) == 3
    project.write("src", "2\n")
    watching.until("output_chunk")
    second = nameless(watching.mark)
    assert len(second) == 3
    assert not first & second
    watching.end(number)
