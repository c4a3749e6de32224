"""Where the time of a run went: the critical path, and what more cores would change."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId
from pipec.runtime.evidence.lanes import Span, lanes_of
from pipec.runtime.evidence.profile import predict, profile
from pipec.runtime.record import (
    Counts,
    OriginRecord,
    RequestRecord,
    RunRecord,
    TaskRecord,
    timestamp,
)

START = 1_700_000_000_000


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Tasks that need earlier ones, and how long each takes."""
    count = draw(st.integers(1, 12))
    names = [f"t{number}" for number in range(count)]
    needs = {
        name: sorted(draw(st.sets(st.sampled_from(names[:index]), max_size=3))) if index else []
        for index, name in enumerate(names)
    }
    took = {name: draw(st.integers(0, 1000)) for name in names}
    return needs, took


def record_of(took: dict[str, int], starts: dict[str, int], **about: object) -> RunRecord:
    """A run in which each task started at its moment."""
    end = max((starts[name] + took[name] for name in took), default=0)
    tasks = tuple(
        TaskRecord(
            id=name,
            status="passed",
            started_at=timestamp(START + starts[name]),
            duration_ms=took[name],
        )
        for name in took
    )
    return RunRecord(
        run_id="r",
        tool_version="0",
        pipeline="p",
        ir_digest="",
        pid=1,
        request=RequestRecord(targets=("t",), force=False, concurrency=2, params={}),
        status="passed",
        started_at=timestamp(START),
        tasks=tasks,
        counts=Counts(passed=len(tasks)),
        time_saved_ms=0,
        duration_ms=end,
        **about,  # type: ignore[arg-type]
    )


def longest(needs: dict[str, list[str]], took: dict[str, int]) -> int:
    """The longest chain, the slow and obvious way."""
    ends: dict[str, int] = {}
    for name, length in took.items():
        ends[name] = length + max((ends[need] for need in needs[name]), default=0)
    return max(ends.values())


@given(graphs())
def test_one_at_a_time_takes_as_long_as_all_together(graph) -> None:
    needs, took = graph
    assert predict(needs, took, None, concurrency=1) == sum(took.values())


@given(graphs())
def test_with_a_core_for_each_task_the_longest_chain_decides(graph) -> None:
    needs, took = graph
    assert predict(needs, took, None, concurrency=len(took)) == longest(needs, took)


@given(graphs(), st.integers(1, 12))
def test_no_number_of_cores_beats_the_critical_path(graph, cores: int) -> None:
    needs, took = graph
    result = profile(record_of(took, dict.fromkeys(took, 0)), needs, None, cores=[cores])
    (prediction,) = result.what_if
    assert result.critical_path_ms == longest(needs, took)
    assert prediction.duration_ms >= result.critical_path_ms
    assert prediction.duration_ms * cores >= sum(took.values())


@given(graphs())
def test_the_critical_path_is_a_chain_of_needs(graph) -> None:
    needs, took = graph
    result = profile(record_of(took, dict.fromkeys(took, 0)), needs, None, cores=[])
    path = [task.id for task in result.critical_path]
    # Tasks that took no time are left out of what is shown.
    if all(took.values()):
        assert all(one in needs[other] for one, other in pairwise(path))
    assert sum(task.duration_ms for task in result.critical_path) == result.critical_path_ms


def test_a_pool_bounds_a_prediction() -> None:
    took = {"a": 10, "b": 10, "c": 10}
    needs: dict[str, list[str]] = {name: [] for name in took}
    tasks = {TaskId(name): Task(id=TaskId(name), pool="db") for name in took}
    pipeline = Pipeline(name="p", tasks=tasks, pools={"db": 2})
    assert predict(needs, took, None, concurrency=3) == 10
    assert predict(needs, took, pipeline, concurrency=3) == 20


def test_waiting_for_a_free_core_is_told_from_waiting_for_a_task() -> None:
    took, starts = {"a": 10, "b": 10, "c": 5}, {"a": 0, "b": 10, "c": 23}
    result = profile(record_of(took, starts), {"c": ["b"]}, None, cores=[])
    assert [(task.id, task.waited_ms) for task in result.critical_path] == [("b", 10), ("c", 3)]
    assert (result.busy_ms, result.duration_ms, result.most_parallel) == (25, 28, 1)
    assert result.average_parallel == 89


def test_cold_counts_hits_as_they_were_when_they_ran() -> None:
    hit = TaskRecord(
        id="a",
        status="cached",
        started_at=timestamp(START),
        duration_ms=1,
        origin=OriginRecord(run_id="old", finished_at=timestamp(START), duration_ms=5000),
    )
    base = record_of({"a": 1}, {"a": 0})
    record = RunRecord(**{name: getattr(base, name) for name in base.__slots__} | {"tasks": (hit,)})
    assert profile(record, {}, None, cores=[1]).what_if[0].duration_ms == 1
    assert profile(record, {}, None, cores=[1], cold=True).what_if[0].duration_ms == 5000


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=20))
def test_spans_of_one_lane_do_not_overlap_and_no_lane_is_without_need(times) -> None:
    spans = [Span(f"s{i}", start, start + length) for i, (start, length) in enumerate(times)]
    lanes = lanes_of(spans)
    shown = {span.name: (span.start_ms, max(span.end_ms, span.start_ms + 1)) for span in spans}
    for one in shown:
        for other in shown:
            if one < other and lanes[one] == lanes[other]:
                assert shown[one][1] <= shown[other][0] or shown[other][1] <= shown[one][0]
    moments = {start for start, _ in shown.values()}
    at_once = (sum(start <= m < end for start, end in shown.values()) for m in moments)
    assert len(set(lanes.values())) == max(at_once, default=0)
