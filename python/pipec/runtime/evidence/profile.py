"""Where the time of a run went, and what more cores would change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId
from pipec.runtime.evidence.chrome_trace import task_spans
from pipec.runtime.evidence.lanes import Span
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.schedule import Schedule

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalTask:
    """One task of the chain that the run could not have been shorter than.

    `waited_ms`: how long it stood ready before it started, because everything was busy.
    """

    id: str
    duration_ms: int
    waited_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedTask:
    """A task and its time."""

    id: str
    status: str
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """How long the same tasks would take with so many at once, by the scheduler's own rules."""

    concurrency: int
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Where the time of a run went. `pipec profile --format json`.

    `busy_ms` is the time of all tasks together. `average_parallel` is in hundredths: 150 means that
    one and a half tasks ran at once. `is_cold`: hits count with the time they took when they ran.
    """

    schema_version: int = SCHEMA_VERSION
    run_id: str
    is_cold: bool
    concurrency: int
    duration_ms: int
    busy_ms: int
    average_parallel: int
    most_parallel: int
    time_saved_ms: int
    critical_path_ms: int
    critical_path: tuple[CriticalTask, ...]
    slowest: tuple[TimedTask, ...]
    what_if: tuple[Prediction, ...]


def profile(
    record: RunRecord,
    needs: Mapping[str, Sequence[str]],
    pipeline: Pipeline | None,
    *,
    cores: Iterable[int],
    cold: bool = False,
    most: int = 10,
) -> Profile:
    """The profile of a run. `pipeline`, if it is still known, gives pools and priorities.

    `cores` are the numbers of tasks at once to predict for; `most` bounds the list of the slowest.
    """
    spans = _work_spans(record)
    took = {task.id: _duration(task, cold=cold) for task in record.tasks}
    wall = record.duration_ms or _extent(spans)
    busy = sum(span.end_ms - span.start_ms for span in spans)
    chain = _critical_path([task.id for task in record.tasks], needs, took)
    by_name = {span.name: span for span in spans}
    ends = {span.name: span.end_ms for span in spans}
    begin = min((span.start_ms for span in spans), default=0)
    timed = sorted(record.tasks, key=lambda task: (-took[task.id], task.id))[:most]
    return Profile(
        run_id=record.run_id,
        is_cold=cold,
        concurrency=record.request.concurrency,
        duration_ms=wall,
        busy_ms=busy,
        average_parallel=round(100 * busy / wall) if wall else 0,
        most_parallel=_most_parallel(spans),
        time_saved_ms=record.time_saved_ms,
        critical_path_ms=sum(took[task] for task in chain),
        critical_path=tuple(
            CriticalTask(
                id=task,
                duration_ms=took[task],
                waited_ms=_waited(by_name.get(task), needs.get(task, ()), ends, begin),
            )
            for task in chain
            if took[task]
        ),
        slowest=tuple(
            TimedTask(id=task.id, status=task.status, duration_ms=took[task.id])
            for task in timed
            if took[task.id]
        ),
        what_if=tuple(
            Prediction(
                concurrency=number, duration_ms=predict(needs, took, pipeline, concurrency=number)
            )
            for number in sorted(set(cores))
        ),
    )


def predict(
    needs: Mapping[str, Sequence[str]],
    took: Mapping[str, int],
    pipeline: Pipeline | None,
    *,
    concurrency: int,
) -> int:
    """How long the tasks take with so many at once, in milliseconds, by the run's own scheduler."""
    tasks = [_task(name, needs, pipeline) for name in _in_order(took, needs)]
    weights = {TaskId(name): duration for name, duration in took.items()}
    pools = {} if pipeline is None else pipeline.pools
    schedule = Schedule(tasks, concurrency=concurrency, pools=pools, weights=weights)
    running: list[tuple[int, TaskId]] = []
    now = 0
    while True:
        schedule.take_ready()
        while (task := schedule.start_next()) is not None:
            heappush(running, (now + took[task], task))
        if not running:
            return now
        now, task = heappop(running)
        schedule.finish(task)


def _task(name: str, needs: Mapping[str, Sequence[str]], pipeline: Pipeline | None) -> Task:
    """The task as far as scheduling goes."""
    known = None if pipeline is None else pipeline.tasks.get(TaskId(name))
    depends_on = tuple(TaskId(need) for need in needs.get(name, ()))
    if known is None:
        return Task(id=TaskId(name), depends_on=depends_on)
    return Task(
        id=TaskId(name),
        depends_on=depends_on,
        pool=known.pool,
        priority=known.priority,
        interactive=known.interactive,
    )


def _work_spans(record: RunRecord) -> list[Span]:
    """When each task was at work; a service is until it is ready: then nobody waits for it."""
    ready = {task.id: _duration(task, cold=False) for task in record.tasks if task.service}
    return [
        Span(span.name, span.start_ms, span.start_ms + ready.get(span.name, span.length_ms))
        for span in task_spans(record)
    ]


def _duration(task: TaskRecord, *, cold: bool) -> int:
    if task.service is not None and task.service.ready_after_ms is not None:
        return task.service.ready_after_ms
    if cold and task.status == "cached" and task.origin is not None:
        return task.origin.duration_ms
    return task.duration_ms or 0


def _in_order(took: Mapping[str, int], needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Each task after those that it waited for. A record has them in this order but for chance."""
    order: list[str] = []
    placed: set[str] = set()
    for name in took:
        waiting = [name]
        while waiting:
            task = waiting[-1]
            missing = [need for need in needs.get(task, ()) if need in took and need not in placed]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if task not in placed:
                placed.add(task)
                order.append(task)
    return order


def _critical_path(
    tasks: Sequence[str], needs: Mapping[str, Sequence[str]], took: Mapping[str, int]
) -> list[str]:
    """The chain of dependencies that takes longest; of equal ones the first by name."""
    length: dict[str, int] = {}
    before: dict[str, str | None] = {}
    for task in _in_order({task: took[task] for task in tasks}, needs):
        known = sorted(need for need in needs.get(task, ()) if need in length)
        last = max(known, key=lambda need: length[need], default=None)
        before[task] = last
        length[task] = took[task] + (0 if last is None else length[last])
    at = max(sorted(length), key=lambda task: length[task], default=None)
    chain: list[str] = []
    while at is not None:
        chain.append(at)
        at = before[at]
    return chain[::-1]


def _waited(span: Span | None, needs: Sequence[str], ends: Mapping[str, int], begin: int) -> int:
    if span is None:
        return 0
    ready = max((ends[need] for need in needs if need in ends), default=begin)
    return max(0, span.start_ms - ready)


def _extent(spans: Sequence[Span]) -> int:
    if not spans:
        return 0
    return max(span.end_ms for span in spans) - min(span.start_ms for span in spans)


def _most_parallel(spans: Sequence[Span]) -> int:
    changes = sorted(
        change
        for span in spans
        if span.end_ms > span.start_ms
        for change in ((span.start_ms, 1), (span.end_ms, -1))
    )
    # What ends frees its place before something else takes it: -1 sorts before 1.
    most = running = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most
