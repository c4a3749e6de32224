"""What a program does with the library: load, run, listen, cancel."""

import asyncio
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipec
from pipec import _core
from pipec.ir import ShellStep
from pipec.ir.task import TaskId
from pipec.testing import FakeClock, MemoryStore, Project, ScriptedCommand, ScriptedExecutor
from tests.e2e.survivors import MARK, assert_none_left

PIPELINE = """
name = "p"

[tasks.make]
inputs = ["in.txt"]
outputs = ["out.txt"]
cache = true
run = "cp in.txt out.txt"

[tasks.fail]
run = "exit 3"

[tasks.wait]
run = "echo $$ > pid; echo ready; exec sleep 600"

[tasks.hide]
run = "sh start.sh; echo ready; sleep 600"

[tasks.hide-briefly]
run = "sh start.sh; sleep 600"
timeout = "2s"

[jobs.verify]
target = "make"

[jobs.greet]
target = "greet"
params = { who = { type = "string", default = "you" } }

[tasks.greet]
env-inputs = ["PIPEC_PARAM_WHO"]
run = "echo hello $PIPEC_PARAM_WHO"
"""


@pytest.fixture
def project() -> Iterator[Project]:
    with Project() as project:
        project.write("pipeline.toml", PIPELINE)
        project.write("in.txt", "one")
        yield project


def statuses(record: pipec.RunRecord) -> dict[str, str]:
    return {task.id: task.status for task in record.tasks}


def test_a_job_runs_and_then_hits(project: Project) -> None:
    first = project.run_job("verify")
    assert (first.status, first.exit_code, statuses(first)) == ("passed", 0, {"make": "passed"})
    assert project.read("out.txt") == "one"
    Path(project.path("out.txt")).unlink()
    assert statuses(project.run_job("verify")) == {"make": "cached"}
    assert project.read("out.txt") == "one"
    assert statuses(project.run_job("verify", force=True)) == {"make": "passed"}


def test_the_command_line_finds_what_the_library_stored(project: Project) -> None:
    project.run_job("verify")
    result = project.pipec("verify")
    assert result.exit_code == 0
    assert "1 cached" in result.stderr


def test_a_failed_task_is_a_record_and_no_exception(project: Project) -> None:
    record = project.run_task("fail")
    assert (record.status, record.exit_code) == ("failed", 1)
    assert record.tasks[0].attempts[0].exit_code == 3


def test_names_that_mean_nothing_are_errors(project: Project) -> None:
    with pytest.raises(pipec.PlanError) as trouble:
        project.run_job("make")
    assert trouble.value.code is pipec.Code.UNKNOWN_TARGET
    with pytest.raises(pipec.PlanError):
        project.run_task("verify")
    with pytest.raises(ValueError, match="at least 1"):
        project.run_job("verify", concurrency=0)


def test_parameters_are_bound(project: Project) -> None:
    record = project.run_job("greet", params={"who": "them"})
    assert record.request.params == {"who": "them"}
    log = record.tasks[0].log
    assert log is not None
    assert project.read(f".pipec/runs/{record.run_id}/{log}") == "hello them\n"
    with pytest.raises(pipec.PlanError):
        project.run_job("greet", params={"whom": "them"})


def test_a_pipeline_knows_where_it_was_loaded_from(project: Project) -> None:
    pipeline = pipec.load(project.path("pipeline.toml"))
    assert pipeline.root == project.folder
    Path(project.path("a/b")).mkdir(parents=True)
    assert pipec.load(project.path("a/b")) == pipeline
    with pytest.raises(NotADirectoryError):
        pipec.load(project.path("nowhere"))


def test_a_pipeline_with_mistakes_gives_all_of_them(project: Project) -> None:
    project.write("pipeline.toml", 'name = "p"\n[tasks.a]\nrunn = "x"\ninputz = []\n')
    with pytest.raises(pipec.SpecError) as trouble:
        project.load()
    assert [finding.code for finding in trouble.value.findings] == [pipec.Code.UNKNOWN_FIELD] * 2


def test_a_pipeline_can_be_made_of_values(project: Project) -> None:
    task = pipec.Task(id=TaskId("hello"), steps=(ShellStep(command="echo hi > made.txt"),))
    pipeline = pipec.Pipeline(name="values", tasks={task.id: task})
    record = pipec.run_task(pipeline, "hello", cwd=project.folder, env=project.env)
    assert record.status == "passed"
    assert project.read("made.txt") == "hi\n"


def test_listeners_hear_what_happens_as_it_happens(project: Project) -> None:
    heard: list[str] = []
    project.run_job("verify", listeners=[lambda event: heard.append(type(event).__name__)])
    assert heard[0] == "RunStarted"
    assert heard[-1] == "RunFinished"
    assert {"TaskStarted", "TaskFinished", "StepStarted"} <= set(heard)


def test_a_run_goes_on_beside_an_event_loop(project: Project) -> None:
    async def both() -> list[str]:
        done: list[str] = []

        async def count() -> None:
            for _ in range(3):
                await asyncio.sleep(0)
            done.append("counted")

        record, _ = await asyncio.gather(
            pipec.arun_job(project.load(), "verify", env=project.env), count()
        )
        done.append(record.status)
        return done

    assert asyncio.run(both()) == ["counted", "passed"]


async def cancel(project: Project, task: str) -> None:
    """Cancels the call that runs a task as soon as that has printed something."""
    loop = asyncio.get_running_loop()
    is_ready = asyncio.Event()

    def listen(event: pipec.Event) -> None:
        if type(event).__name__ == "OutputChunk":
            loop.call_soon_threadsafe(is_ready.set)

    call = asyncio.ensure_future(
        pipec.arun_task(project.load(), task, env=project.env, listeners=[listen])
    )
    await is_ready.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


def test_a_call_that_is_cancelled_leaves_nothing_behind(project: Project) -> None:
    asyncio.run(cancel(project, "wait"))
    result = project.pipec("runs", "show", "latest")
    assert "interrupted" in result.stdout
    assert not Path("/proc", project.read("pid").strip()).exists()


# It has nothing that tells where it comes from, but for a mark that the test knows.
HIDE = f"""
mkfifo there
env -i {MARK}="${MARK}" setsid sh -c 'echo >there; exec sleep 600' >/dev/null 2>&1 </dev/null &
read -r _ <there
"""


@pytest.fixture
def mark(project: Project) -> str:
    """The mark of what the tasks hide."""
    project.write("start.sh", HIDE)
    project.env[MARK] = project.folder
    return project.folder


def test_what_hides_ends_with_a_call_that_is_cancelled(project: Project, mark: str) -> None:
    asyncio.run(cancel(project, "hide"))
    assert project.exists("there")
    assert_none_left(mark, within_s=0)


def test_what_hides_ends_with_its_task_and_what_the_caller_starts_meanwhile_does_not(
    project: Project, mark: str
) -> None:
    own: list[subprocess.Popen[bytes]] = []

    def listen(event: pipec.Event) -> None:
        if type(event).__name__ == "StepStarted":
            own.append(subprocess.Popen(["sleep", "600"]))

    record = pipec.run_task(project.load(), "hide-briefly", env=project.env, listeners=[listen])
    assert statuses(record) == {"hide-briefly": "failed"}
    assert project.exists("there")
    assert_none_left(mark, within_s=0)
    (child,) = own
    assert child.poll() is None
    child.kill()
    child.wait()


def test_signal_handlers_are_given_back(project: Project) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    project.run_job("verify", force=True)
    project.pipec("run", "verify", "--force")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_scripted_commands_stand_in_for_processes(project: Project) -> None:
    copy = ScriptedCommand("cp in.txt out.txt", output="copying\n", writes={"out.txt": "scripted"})
    record = project.run_job("verify", executor=ScriptedExecutor(copy))
    assert record.status == "passed"
    assert project.read("out.txt") == "scripted"
    assert [call.cwd for call in copy.calls] == [project.folder]
    unknown = project.run_task("fail", executor=ScriptedExecutor(copy))
    assert unknown.tasks[0].error is not None
    assert "no script for `exit 3`" in unknown.tasks[0].error.message


def test_a_test_decides_when_a_command_ends(project: Project) -> None:
    slow = ScriptedCommand("sleep", holds=True)
    project.write("pipeline.toml", 'name = "p"\n[tasks.slow]\nrun = { argv = ["sleep"] }\n')
    records: list[pipec.RunRecord] = []
    running = threading.Thread(
        target=lambda: records.append(project.run_task("slow", executor=ScriptedExecutor(slow)))
    )
    running.start()
    assert slow.wait_started().argv == ("sleep",)
    slow.finish(exit_code=7)
    running.join()
    assert records[0].tasks[0].attempts[0].exit_code == 7
    with pytest.raises(ValueError, match="not running"):
        slow.finish()


def test_a_clock_in_hand_ends_delays_and_timeouts(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "p"\n[tasks.flaky]\nretry = { attempts = 2, delay = "1h" }\ntimeout = "2h"\n'
        'run = "flaky"\n',
    )
    clock = FakeClock()
    flaky = ScriptedCommand("flaky", holds=True)
    will_retry = threading.Event()

    def move(event: pipec.Event) -> None:
        if getattr(event, "retry_in_ms", None):
            will_retry.set()

    records: list[pipec.RunRecord] = []
    running = threading.Thread(
        target=lambda: records.append(
            project.run_task(
                "flaky", executor=ScriptedExecutor(flaky), clock=clock, listeners=[move]
            )
        )
    )
    running.start()
    flaky.wait_started()
    clock.wait_sleeping()
    clock.advance(2 * 3600)
    will_retry.wait()
    clock.wait_sleeping()
    clock.advance(3600)
    flaky.wait_started()
    flaky.finish()
    running.join()
    first, second = records[0].tasks[0].attempts
    assert (first.timed_out, first.duration_ms) == (True, 2 * 3600 * 1000)
    assert (second.exit_code, second.started_at) == (0, "2026-01-01T03:00:00.000Z")


def test_a_result_comes_from_the_store_behind(project: Project) -> None:
    store = MemoryStore()
    project.run_job("verify", store=store)
    assert sorted(name.partition("/")[0] for name in store) == ["ac", *["cas"] * 3]
    with Project() as other:
        other.write("pipeline.toml", PIPELINE)
        other.write("in.txt", "one")
        assert statuses(other.run_job("verify", store=store)) == {"make": "cached"}
        assert other.read("out.txt") == "one"
        other.write("in.txt", "two")
        assert statuses(other.run_job("verify", store=store)) == {"make": "passed"}
    project.write("in.txt", "two")
    assert statuses(project.run_job("verify", store=store)) == {"make": "cached"}
    assert project.read("out.txt") == "two"


class Broken(MemoryStore):
    """A store that goes wrong in one way."""

    def __init__(self, trouble: str) -> None:
        super().__init__()
        self.trouble = trouble

    def get(self, name: str) -> bytes | None:
        if self.trouble == "down":
            raise ConnectionRefusedError(111, "Connection refused")
        found = super().get(name)
        kind = name.partition("/")[0]
        if found is not None and self.trouble == f"lies about {kind}":
            return found[:-1] + bytes([found[-1] ^ 1])
        if self.trouble == f"lost {kind}":
            return None
        return found


@pytest.mark.parametrize(
    ("trouble", "warns"),
    [
        ("down", True),
        ("lies about ac", True),
        ("lies about cas", True),
        ("lost ac", False),
        ("lost cas", False),
    ],
)
def test_a_store_in_trouble_is_a_miss(project: Project, *, trouble: str, warns: bool) -> None:
    store = Broken("")
    project.run_job("verify", store=store)
    store.trouble = trouble
    with Project() as other:
        other.write("pipeline.toml", PIPELINE)
        other.write("in.txt", "one")
        record = other.run_job("verify", store=store)
        assert (record.status, statuses(record)) == ("passed", {"make": "passed"})
        assert other.read("out.txt") == "one"
        codes = [warning.code for warning in record.warnings]
        assert codes == (["PIPEC_STORE_UNAVAILABLE"] if warns else [])


def test_an_entry_with_files_that_the_task_does_not_own_is_refused(project: Project) -> None:
    """Two tasks with one key cannot be had: an entry of the store is forged for that."""
    store = MemoryStore()
    project.run_job("verify", store=store)
    entry_name = next(name for name in store if name.startswith("ac/"))
    forged = _with_outputs_of(project, store, entry_name, path="pipeline.toml")
    store.put(entry_name, forged)
    with Project() as other:
        other.write("pipeline.toml", PIPELINE)
        other.write("in.txt", "one")
        record = other.run_job("verify", store=store)
        assert statuses(record) == {"make": "passed"}
        assert "does not own" in record.warnings[0].message
        assert other.read("pipeline.toml") == PIPELINE


def _with_outputs_of(project: Project, store: MemoryStore, name: str, *, path: str) -> bytes:
    """The entry, but with outputs under another path."""
    found = store.get(name)
    assert found is not None
    entry = json.loads(found.partition(b"\n")[2])
    manifest = store.get(f"cas/{entry['outputs']}")
    assert manifest is not None
    old = b"out.txt"
    length = len(old).to_bytes(8, "little")
    assert manifest.count(length + old) == 1
    moved = manifest.replace(length + old, len(path).to_bytes(8, "little") + path.encode())
    entry["outputs"] = _core.content_digest(moved)
    store.put(f"cas/{entry['outputs']}", moved)
    body = json.dumps(entry).encode()
    return _core.content_digest(body).encode() + b"\n" + body
