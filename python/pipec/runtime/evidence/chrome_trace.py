"""A run in the Trace Event Format, which Perfetto and Chrome's `about:tracing` open.

The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
Times are microseconds from the start of the run. Each lane of the run is a thread: a task, in it
its attempts, in them their steps. An arrow leads from a task to each one that waited for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipec.runtime.evidence.lanes import Span, lanes_of
from pipec.runtime.evidence.moments import epoch_ms
from pipec.runtime.record import AttemptRecord, RunRecord, StepRecord, TaskRecord
from pipec.runtime.summary import describe_verdict
from pipec.runtime.visible import visible

_PROCESS = 1
_US = 1000
_COLORS = {
    "passed": "good",
    "failed": "terrible",
    "cached": "thread_state_iowait",
    "cancelled": "bad",
}


def chrome_trace(
    record: RunRecord, needs: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Any]:
    """The run as a JSON object of the format. `needs`: what each task waited for, if known."""
    return {
        "displayTimeUnit": "ms",
        "otherData": {
            "run_id": record.run_id,
            "pipeline": record.pipeline,
            "status": record.status,
            "version": record.tool_version,
        },
        "traceEvents": list(_events(record, needs or {})),
    }


def task_spans(record: RunRecord) -> list[Span]:
    """When each task that started was at work."""
    return [
        Span(task.id, start, start + (task.duration_ms or 0))
        for task in record.tasks
        if task.started_at is not None
        for start in (epoch_ms(task.started_at),)
    ]


def _events(record: RunRecord, needs: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    origin = epoch_ms(record.started_at)
    spans = {span.name: span for span in task_spans(record)}
    lanes = lanes_of(spans.values())
    name = f"{record.pipeline}: {' '.join(record.request.targets)}"
    yield _about("process_name", 0, name=name)
    for lane in sorted(set(lanes.values())):
        yield _about("thread_name", lane + 1, name=f"lane {lane + 1}")
        yield _about("thread_sort_index", lane + 1, sort_index=lane)
    for task in record.tasks:
        if task.id in spans:
            yield from _task(task, spans[task.id], lanes[task.id] + 1, origin)
    yield from _counts(spans.values(), origin)
    yield from _arrows(spans, lanes, needs, origin)


def _task(task: TaskRecord, span: Span, lane: int, origin: int) -> Iterator[dict[str, Any]]:
    told: dict[str, Any] = {"status": task.status, "why": visible(describe_verdict(task))}
    if task.key is not None:
        told["key"] = task.key
    if task.error is not None:
        told |= {"error": task.error.code, "message": task.error.message}
    if task.log is not None:
        told["log"] = task.log
    start, end = _us(span.start_ms, origin), _us(span.end_ms, origin)
    yield _complete(task.id, "task", lane, (start, end), told, color=_COLORS.get(task.status))
    begin = start
    for attempt in task.attempts:
        # Rounded to milliseconds, one attempt may seem to begin before the other ends.
        bounds = _within(attempt, (begin, end), origin)
        begin = bounds[1]
        told = {"number": attempt.number, "exit_code": attempt.exit_code, **_ending(attempt)}
        yield _complete(f"attempt {attempt.number}", "attempt", lane, bounds, told)
        yield from _steps(attempt.steps, lane, bounds, origin)


def _steps(
    steps: Sequence[StepRecord], lane: int, bounds: tuple[int, int], origin: int
) -> Iterator[dict[str, Any]]:
    begin = bounds[0]
    for step in steps:
        begin, end = _within(step, (begin, bounds[1]), origin)
        told = {"command": step.command, "exit_code": step.exit_code, **_ending(step)}
        first_line = visible((step.command.strip().splitlines() or ["step"])[0])
        yield _complete(first_line, "step", lane, (begin, end), told)
        begin = end


def _within(
    part: AttemptRecord | StepRecord, bounds: tuple[int, int], origin: int
) -> tuple[int, int]:
    """Start and end of a part, inside of what it is a part of."""
    start = epoch_ms(part.started_at)
    low, high = bounds
    begin = min(max(_us(start, origin), low), high)
    return begin, min(max(_us(start + part.duration_ms, origin), begin), high)


def _ending(part: AttemptRecord | StepRecord) -> dict[str, Any]:
    told: dict[str, Any] = {"timed_out": True} if part.timed_out else {}
    return {**told, "signal": part.signal} if part.signal else told


def _counts(spans: Any, origin: int) -> Iterator[dict[str, Any]]:
    changes: dict[int, int] = {}
    for span in spans:
        changes[span.start_ms] = changes.get(span.start_ms, 0) + 1
        changes[span.end_ms] = changes.get(span.end_ms, 0) - 1
    running = 0
    for moment in sorted(changes):
        running += changes[moment]
        yield {
            "name": "running tasks",
            "ph": "C",
            "pid": _PROCESS,
            "ts": _us(moment, origin),
            "args": {"tasks": running},
        }


def _arrows(
    spans: Mapping[str, Span],
    lanes: Mapping[str, int],
    needs: Mapping[str, Sequence[str]],
    origin: int,
) -> Iterator[dict[str, Any]]:
    number = 0
    for task, waited_for in needs.items():
        for need in waited_for:
            if need not in spans or task not in spans:
                continue
            number += 1
            common = {"name": "needs", "cat": "dependency", "pid": _PROCESS, "id": number}
            # An arrow begins and ends inside of a slice.
            left, right = spans[need], spans[task]
            # That of a service begins where the other does, for it has not ended then.
            begin = max(left.start_ms, min(left.end_ms - 1, right.start_ms))
            at = {"tid": lanes[need] + 1, "ts": _us(begin, origin)}
            yield {**common, "ph": "s", **at}
            arrival = max(right.start_ms, begin)
            at = {"tid": lanes[task] + 1, "ts": _us(arrival, origin)}
            yield {**common, "ph": "f", "bp": "e", **at}


def _complete(
    name: str,
    category: str,
    lane: int,
    bounds: tuple[int, int],
    told: Mapping[str, Any],
    *,
    color: str | None = None,
) -> dict[str, Any]:
    event = {
        "name": name,
        "cat": category,
        "ph": "X",
        "pid": _PROCESS,
        "tid": lane,
        "ts": bounds[0],
        "dur": bounds[1] - bounds[0],
        "args": dict(told),
    }
    return {**event, "cname": color} if color else event


def _about(what: str, lane: int, **told: Any) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": _PROCESS, "tid": lane, "args": told}


def _us(moment_ms: int, origin_ms: int) -> int:
    # A clock that was set back during a run must not give times before its start.
    return max(0, moment_ms - origin_ms) * _US
