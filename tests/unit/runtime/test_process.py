"""Commands: time limits, children in the background, whatever could hold or outlive a task."""

import os
import signal
import time

from pipec.codes import Code
from pipec.runtime.events import OutputChunk
from pipec.runtime.request import Services
from pipec.runtime.survivors import find_survivors
from tests.unit.runtime.rig import Rig, shell


def attempt(record):
    return record.tasks[0].attempts[0]


def test_a_step_that_takes_too_long_is_ended(rig: Rig) -> None:
    record = rig.run(shell("a", "echo started; sleep 60", timeout_ms=100))
    assert record.tasks[0].error.code == Code.TIMED_OUT
    assert record.tasks[0].error.message == (
        "`echo started; sleep 60` was ended: the task may take 100ms"
    )
    assert (attempt(record).exit_code, attempt(record).timed_out) == (124, True)
    assert rig.output("a") == "started\n"


def test_a_step_that_ignores_the_first_signal_is_killed(rig: Rig) -> None:
    record = rig.run(shell("a", "trap '' TERM; while :; do sleep 0.01 || :; done", timeout_ms=50))
    assert (attempt(record).exit_code, attempt(record).signal) == (124, "SIGKILL")


def test_the_limit_of_a_task_is_for_all_its_steps_together(rig: Rig) -> None:
    record = rig.run(shell("a", "sleep 0.1", "sleep 60", "true", timeout_ms=1000))
    assert [step.timed_out for step in attempt(record).steps] == [False, True]
    assert attempt(record).steps[1].duration_ms < 1000


def test_a_child_in_the_background_cannot_hold_the_task(rig: Rig) -> None:
    before = time.monotonic()
    record = rig.run(shell("a", "sleep 60 & echo done"))
    assert record.status == "passed"
    assert time.monotonic() - before < 10
    assert rig.output("a") == "done\n"
    assert find_survivors(record.run_id, ()) == []


def test_a_child_in_another_session_cannot_hold_the_task(rig: Rig) -> None:
    record = rig.run(shell("a", "setsid sleep 5 & echo done"))
    assert record.status == "passed"
    assert rig.output("a") == "done\n"


def test_a_child_that_closed_its_output_ends_with_its_task(rig: Rig) -> None:
    record = rig.run(shell("a", "sleep 60 >/dev/null 2>&1 & echo $!", "echo next"))
    assert record.status == "passed"
    assert find_survivors(record.run_id, ()) == []


def test_output_without_end_of_line_and_in_any_encoding_is_kept(rig: Rig) -> None:
    record = rig.run(shell("a", r"printf 'no end \377\000'"))
    log = rig.folder / ".pipec/runs" / record.run_id / record.tasks[0].log
    assert log.read_bytes() == b"no end \xff\x00"


def test_a_million_lines_arrive_in_order(rig: Rig) -> None:
    record = rig.run(shell("a", "seq 200000"), max_log_bytes=0)
    assert rig.log(record, "a") == "".join(f"{number}\n" for number in range(1, 200_001))


def test_a_task_that_ignores_an_interrupt_is_killed_after_the_grace(rig: Rig) -> None:
    def interrupt(event: object) -> None:
        rig.events.append(event)
        if isinstance(event, OutputChunk):
            os.kill(os.getpid(), signal.SIGINT)

    record = rig.run(
        shell("a", "trap 'true' INT TERM; echo ready; while :; do sleep 0.01 || :; done"),
        services=Services(listeners=(interrupt,), open_engine=rig.engine),
    )
    assert (record.status, record.exit_code) == ("interrupted", 130)
    assert attempt(record).signal == "SIGKILL"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_shells_are_those_of_the_task(rig: Rig) -> None:
    rig.run(shell("a", "echo ${BASH_VERSION:+bash}", shell=("bash", "-c")))
    assert rig.output("a") == "bash\n"
