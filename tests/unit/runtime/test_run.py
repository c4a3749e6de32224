"""What a run does with its tasks, and what it keeps of it."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from pipec.codes import Code
from pipec.errors import PipecError, SpecError
from pipec.ir import ArgvStep, Requirements, Retry, Task, TaskCache
from pipec.ir.task import TaskId
from pipec.runtime.events import OutputChunk, TaskFinished, TaskSkipped, WarningRaised
from pipec.runtime.record import RunRecord
from pipec.runtime.request import Services
from tests.unit.runtime.rig import Rig, shell
from tests.unit.runtime.scripted_engine import ScriptedEngine

SCHEMA = Path(__file__).parents[3] / "schemas" / "execution-record.schema.json"


def statuses(record: RunRecord) -> dict[str, str]:
    return {task.id: task.status for task in record.tasks}


def reasons(record: RunRecord) -> dict[str, str]:
    return {task.id: task.reason for task in record.tasks if task.reason}


def error(record: RunRecord, task: str) -> tuple[str, str]:
    found = next(t.error for t in record.tasks if t.id == task)
    assert found is not None
    return found.code, found.message


def test_a_run_passes_when_all_its_tasks_do(rig: Rig) -> None:
    record = rig.run(shell("a", "echo one; echo two >&2"), shell("b", "echo three", needs=("a",)))
    assert (record.status, record.exit_code) == ("passed", 0)
    assert statuses(record) == {"a": "passed", "b": "passed"}
    assert rig.log(record, "a") == rig.output("a") == "one\ntwo\n"


def test_the_first_failure_lets_nothing_new_start(rig: Rig) -> None:
    record = rig.run(shell("a", "exit 3"), shell("b", "true", needs=("a",)), shell("c", "true"))
    assert (record.status, record.exit_code) == ("failed", 1)
    assert statuses(record) == {"a": "failed", "b": "skipped", "c": "skipped"}
    assert reasons(record) == {"b": "dependency failed: a", "c": "stopped after failure of a"}
    assert error(record, "a") == (Code.STEP_FAILED, "`exit 3` ended with exit status 3")


def test_a_failure_that_is_allowed_stops_nobody(rig: Rig) -> None:
    record = rig.run(shell("a", "exit 3", allow_failure=True), shell("b", "true", needs=("a",)))
    assert (record.status, record.exit_code) == ("passed", 0)
    assert statuses(record) == {"a": "failed", "b": "passed"}
    assert ("failed", "a") in rig.engine.calls


def test_a_task_for_another_system_is_skipped_and_stops_nobody(rig: Rig) -> None:
    record = rig.run(shell("a", "exit 1", platforms=("windows",)), shell("b", "true", needs=("a",)))
    assert statuses(record) == {"a": "skipped", "b": "passed"}
    # What comes after it can be cached: for the engine it is a group.
    assert json.loads(rig.engine.request["ir"])["tasks"]["a"] == {}
    assert ("failed", "a") not in rig.engine.calls
    assert reasons(record) == {"a": "platform: only on windows"}


def test_a_step_sees_what_the_steps_before_it_did_and_none_runs_after_a_failure(rig: Rig) -> None:
    record = rig.run(shell("a", "echo text > file", "cat file", "false", "echo never"))
    assert rig.output("a") == "text\n"
    assert [step.exit_code for step in record.tasks[0].attempts[0].steps] == [0, 0, 1]


def test_a_task_is_tried_as_often_as_it_says(rig: Rig) -> None:
    command = "echo $PIPEC_ATTEMPT; test $PIPEC_ATTEMPT = 3"
    record = rig.run(shell("a", command, retry=Retry(attempts=5)))
    assert statuses(record) == {"a": "passed"}
    assert [attempt.exit_code for attempt in record.tasks[0].attempts] == [1, 1, 0]
    assert rig.log(record, "a") == "1\n2\n3\n"


def test_a_program_with_arguments_needs_no_shell(rig: Rig) -> None:
    task = Task(id=TaskId("a"), steps=(ArgvStep(argv=("printf", "%s|", "a b", "$HOME", "")),))
    record = rig.run(task)
    assert rig.output("a") == "a b|$HOME||"
    assert record.tasks[0].attempts[0].steps[0].command == "printf '%s|' 'a b' '$HOME' ''"


def test_a_program_that_is_not_there_is_named(rig: Rig) -> None:
    record = rig.run(Task(id=TaskId("a"), steps=(ArgvStep(argv=("no-such-program",)),)))
    assert error(record, "a") == (
        Code.STEP_NOT_STARTED,
        "`no-such-program` cannot be started: No such file or directory",
    )
    assert record.tasks[0].attempts[0].exit_code == 127


def test_a_folder_that_is_not_there_is_named(rig: Rig) -> None:
    record = rig.run(shell("a", "true", cwd="no/such"))
    assert error(record, "a") == (
        Code.STEP_NOT_STARTED,
        "`true` cannot be started: there is no folder `no/such` to run it in",
    )


def test_a_step_that_a_signal_ends_says_which(rig: Rig) -> None:
    record = rig.run(shell("a", "kill -SEGV $$"))
    assert error(record, "a") == (
        Code.STEP_FAILED,
        "`kill -SEGV $$` was ended by SIGSEGV (exit status 139)",
    )
    assert record.tasks[0].attempts[0].signal == "SIGSEGV"


def test_a_missing_tool_fails_the_task_before_its_first_step(rig: Rig) -> None:
    requires = Requirements(tools=("sh", "no-such-tool"), runtime="no-such-runtime@20")
    record = rig.run(shell("a", "echo never", requires=requires, retry=Retry(attempts=3)))
    assert error(record, "a") == (
        Code.MISSING_TOOL,
        "`no-such-tool`, `no-such-runtime` are required, and not on the PATH of the task",
    )
    assert record.tasks[0].attempts == ()


def test_missing_secrets_are_all_reported_before_any_command(rig: Rig) -> None:
    requires = Requirements(secrets=("NPM_TOKEN",))
    with pytest.raises(SpecError) as caught:
        rig.run(
            shell("a", "touch ran"),
            shell("b", "true", requires=requires),
            shell("c", "true", requires=requires),
        )
    assert [finding.message for finding in caught.value.findings] == [
        "`b` requires the secret `NPM_TOKEN`, which is not set",
        "`c` requires the secret `NPM_TOKEN`, which is not set",
    ]
    assert not (rig.folder / "ran").exists()
    assert not (rig.folder / ".pipec/runs").exists()


def test_a_missing_output_fails_the_task(rig: Rig) -> None:
    rig.engine = ScriptedEngine(missing={"a": ["dist/**", "map"]})
    record = rig.run(shell("a", "true"))
    assert error(record, "a") == (
        Code.OUTPUT_MISSING,
        "the task succeeded, but nothing matches its outputs `dist/**`, `map`",
    )


def test_a_store_that_is_down_is_a_warning_and_the_command_runs_once(rig: Rig) -> None:
    rig.engine = ScriptedEngine(hits={"a": False}, store_is_down=True)
    record = rig.run(shell("a", "echo ran >> runs"))
    assert (record.status, statuses(record)) == ("passed", {"a": "passed"})
    assert (rig.folder / "runs").read_text() == "ran\n"
    assert [(warning.code, warning.task) for warning in record.warnings] == [
        (Code.STORE_UNAVAILABLE, "a"),
        (Code.STORE_UNAVAILABLE, "a"),
    ]


def test_inputs_that_change_meanwhile_are_a_warning(rig: Rig) -> None:
    rig.engine = ScriptedEngine(changed={"a": ["src/x", "src/y"]})
    record = rig.run(shell("a", "true"))
    assert statuses(record) == {"a": "passed"}
    assert [event.message for event in rig.events if isinstance(event, WarningRaised)] == [
        "`src/x` and 1 more changed while the task ran: its result is kept, not stored"
    ]


def test_everything_in_place_starts_nothing(rig: Rig) -> None:
    rig.engine = ScriptedEngine(hits={"a": True, "b": True})
    record = rig.run(
        shell("a", "exit 1"), shell("b", "exit 1", needs=("a",)), shell("all", needs=("b",))
    )
    assert (record.exit_code, statuses(record)) == (0, dict.fromkeys(("a", "b", "all"), "cached"))
    assert record.time_saved_ms == 10_000
    assert rig.engine.calls == [("save", "")]


def test_the_quick_path_and_the_long_one_keep_the_same_record(rig: Rig, tmp_path: Path) -> None:
    def comparable(record: RunRecord) -> dict:
        kept = rig.execution(record)
        for part in (kept, *kept["tasks"]):
            for name in ("run_id", "started_at", "finished_at", "duration_ms"):
                part.pop(name, None)
        kept.pop("time_saved_ms")
        return kept

    tasks = (shell("a", "exit 1"), shell("b", "exit 1", needs=("a",)), shell("all", needs=("b",)))
    rig.engine = ScriptedEngine(hits={"a": True, "b": True})
    quick = comparable(rig.run(*tasks))
    # Outputs that are not in place have to be restored: that is the long path.
    rig.engine = ScriptedEngine(hits={"a": True, "b": False})
    assert comparable(rig.run(*tasks)) == quick
    assert ("restore", "b") in rig.engine.calls


def test_a_hit_repeats_its_log_when_asked(rig: Rig) -> None:
    for intact in (True, False):
        rig.events.clear()
        rig.engine = ScriptedEngine(hits={"a": intact})
        rig.run(shell("a", "exit 1"), replay_logs=True)
        assert rig.output("a") == "log of a\n"


def test_every_event_of_a_task_is_told_once_and_in_order(rig: Rig) -> None:
    record = rig.run(shell("a", "echo x", "exit 1"), shell("b", "true", needs=("a",)))
    kinds = [(line["event"], line.get("task")) for line in rig.journal(record)]
    assert [kind for kind, _ in kinds] == [
        "run_started",
        "task_ready",
        "task_started",
        "attempt_started",
        "step_started",
        "step_started",
        "attempt_finished",
        "task_finished",
        "task_skipped",
        "run_finished",
    ]
    finished = [e for e in rig.events if isinstance(e, (TaskFinished, TaskSkipped))]
    assert [event.task.id for event in finished] == ["a", "b"]


def test_a_record_follows_its_schema(rig: Rig) -> None:
    schema = json.loads(SCHEMA.read_text())
    check = jsonschema_rs.validator_for(schema)
    hits = ScriptedEngine(hits={"a": True}, changed={"b": ["x"]})
    for engine in (hits, ScriptedEngine()):
        rig.engine = engine
        record = rig.run(
            shell("a", "true"),
            shell("b", "kill -9 $$", allow_failure=True, needs=("a",)),
            shell("c", "exit 1"),
            shell("d", needs=("c",)),
        )
        check.validate(rig.execution(record))


def test_a_summary_has_a_line_for_each_task(rig: Rig) -> None:
    record = rig.run(shell("a", "exit 1"), shell("b", "true", needs=("a",)))
    summary = (rig.folder / ".pipec/runs" / record.run_id / "summary.md").read_text()
    assert re.sub(r"\d+ms|2\d{7}T\S+[0-9a-f]", "_", summary) == (
        "# p: a, b\n\nRun `_` **failed** after _.\n\n"
        "| Task | Status | Why | Attempts | Duration |\n"
        "| --- | --- | --- | ---: | ---: |\n"
        "| a | failed | disabled | 1 | _ |\n"
        "| b | skipped | dependency failed: a | 0 |  |\n\n"
        "## What went wrong\n\n- `a`: `exit 1` ended with exit status 1\n"
    )


def test_secrets_are_in_nothing_that_is_kept_or_told(rig: Rig) -> None:
    rig.engine = ScriptedEngine(secrets={"TOKEN": "hunter2hunter2"})
    requires = Requirements(secrets=("OTHER",))
    record = rig.run(
        shell("a", "echo $TOKEN $OTHER; echo hunter2hunter2 swordfish; exit 1", requires=requires),
        env={"OTHER": "swordfish"},
    )
    kept = [p.read_text() for p in (rig.folder / ".pipec/runs").rglob("*") if p.is_file()]
    assert rig.output("a") == "*** ***\n*** ***\n"
    for text in (*kept, repr(rig.events), repr(record)):
        assert "hunter2" not in text
        assert "swordfish" not in text


def test_the_environment_says_what_a_step_runs_for(rig: Rig) -> None:
    names = ("ROOT", "TASK", "RUN_ID", "ATTEMPT", "MATRIX_PY", "PARAM_MODE")
    command = "; ".join(f"echo $PIPEC_{name}" for name in names)
    record = rig.run(shell("t", command, matrix={"py": "3"}), params={"mode": "fast"})
    assert rig.output("t").splitlines() == [
        str(rig.folder), "t", record.run_id, "1", "3", "fast",
    ]  # fmt: skip


def test_a_step_runs_in_the_folder_of_its_task_without_input(rig: Rig) -> None:
    (rig.folder / "sub").mkdir()
    rig.run(shell("t", "pwd; cat", cwd="sub"))
    assert rig.output("t") == f"{rig.folder}/sub\n"


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (
            Task(id=TaskId("a"), foreign_needs=("other:b",)),
            "`a` needs `other:b`, a task of a member or source",
        ),
    ],
)
def test_what_cannot_be_run_yet_is_refused_before_anything_runs(
    rig: Rig, task: Task, words: str
) -> None:
    with pytest.raises(PipecError) as caught:
        rig.run(shell("first", "touch ran"), task)
    assert caught.value.code is Code.NOT_SUPPORTED
    assert words in caught.value.message
    assert not (rig.folder / "ran").exists()


def test_old_records_go_and_the_newest_stay(rig: Rig) -> None:
    ids = [rig.run(shell("a", "true"), keep_runs=2).run_id for _ in range(4)]
    assert sorted(p.name for p in (rig.folder / ".pipec/runs").iterdir()) == ids[2:]


def test_a_reader_that_goes_away_ends_the_run(rig: Rig) -> None:
    def closed(event: object) -> None:
        if isinstance(event, OutputChunk):
            raise BrokenPipeError

    services = Services(
        listeners=(closed,),
        open_engine=rig.engine,  # type: ignore[arg-type]
        handle_signals=False,
    )
    record = rig.run(shell("a", "echo line; sleep 60"), shell("b", "true"), services=services)
    assert (record.status, record.exit_code, record.reason) == ("interrupted", 141, "SIGPIPE")
    assert statuses(record) == {"a": "cancelled", "b": "skipped"}
    assert reasons(record) == {"a": "interrupted", "b": "interrupted"}


def test_results_of_a_session_and_of_memory_stay_out_of_the_project(rig: Rig) -> None:
    record = rig.run(
        shell("a", "echo $PIPEC_SESSION_STORE", cache=TaskCache(policy="session")),
        shell("b", "true", cache=TaskCache(store="memory")),
        env={"PIPEC_SESSION_STORE": str(rig.folder / "session")},
    )
    assert record.exit_code == 0
    session = str(rig.folder / "session")
    stores = rig.engine.request["stores"]
    (memory,) = stores.keys() - {"file", session}
    assert stores[session] == {"root": session}
    assert stores[memory] == {"root": memory}
    assert not memory.startswith(str(rig.folder))
    tasks = json.loads(rig.engine.request["ir"])["tasks"]
    assert tasks["a"]["cache"] == {"store": session}
    assert tasks["b"]["cache"] == {"store": memory}
    assert rig.output("a") == f"{rig.folder}/session\n"
