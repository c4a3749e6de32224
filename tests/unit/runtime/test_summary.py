"""What the summary of a run picks out."""

from pipec.runtime.record import (
    AttemptRecord,
    RequestRecord,
    RunRecord,
    TaskRecord,
    TaskStatus,
    count,
)
from pipec.runtime.summary import slowest


def ran(name: str, duration_ms: int, status: TaskStatus = "passed") -> TaskRecord:
    attempt = AttemptRecord(number=1, started_at="", duration_ms=duration_ms, exit_code=0)
    return TaskRecord(id=name, status=status, duration_ms=duration_ms, attempts=(attempt,))


def slowest_of(*tasks: TaskRecord, duration_ms: int) -> list[str]:
    record = RunRecord(
        run_id="r",
        tool_version="0",
        pipeline="p",
        ir_digest="d",
        pid=1,
        request=RequestRecord(targets=(), force=False, concurrency=1, params={}),
        status="passed",
        started_at="",
        tasks=tasks,
        counts=count({task.id: task for task in tasks}),
        time_saved_ms=0,
        duration_ms=duration_ms,
    )
    return [task.id for task in slowest(record)]


def test_the_slowest_are_named_where_somebody_had_to_wait() -> None:
    cached = ran("cached", 99_000, "cached")
    tasks = (ran("a", 1), cached, ran("b", 9000), ran("c", 5), ran("d", 7))
    assert slowest_of(*tasks, duration_ms=10_000) == ["b", "d", "c"]
    assert slowest_of(*tasks, duration_ms=9999) == []
    assert slowest_of(*tasks[:2], duration_ms=10_000) == []
