"""The laws of the schedule: not before its needs, not twice, not too many, one end for each."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from pipec.ir.task import Task, TaskId
from pipec.runtime.executor import drive
from pipec.runtime.schedule import Ending, Schedule


@dataclass(frozen=True)
class Scenario:
    tasks: tuple[Task, ...]
    pools: dict[str, int]
    concurrency: int
    failing: frozenset[TaskId]
    # Which of the running tasks ends next, as a number that is taken modulo how many run.
    ends: tuple[int, ...]


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    count = draw(st.integers(1, 12))
    pools = {"db": draw(st.integers(1, 2)), "net": 1}
    tasks = []
    for number in range(count):
        needs = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        tasks.append(
            Task(
                id=TaskId(f"t{number}"),
                depends_on=tuple(TaskId(f"t{need}") for need in sorted(needs)),
                priority=draw(st.integers(-1, 1)),
                pool=draw(st.sampled_from(["", "", "db", "net"])),
                interactive=draw(st.integers(0, 9)) == 0,
            )
        )
    failing = draw(st.sets(st.sampled_from([task.id for task in tasks]), max_size=3))
    return Scenario(
        tasks=tuple(tasks),
        pools=pools,
        concurrency=draw(st.integers(1, 4)),
        failing=frozenset(failing),
        ends=tuple(draw(st.lists(st.integers(0, 100), min_size=count, max_size=count))),
    )


def play(scenario: Scenario, *, stop_at_failure: bool) -> tuple[list[tuple[str, TaskId]], dict]:
    """Starts whatever may start and ends tasks as the scenario says; gives what happened."""
    schedule = Schedule(
        scenario.tasks,
        concurrency=scenario.concurrency,
        pools=scenario.pools,
        continue_mode="never" if stop_at_failure else "dependencies-successful",
    )
    history: list[tuple[str, TaskId]] = []
    running: list[TaskId] = []
    ends = iter(scenario.ends)
    while True:
        history += [("ready", task) for task in schedule.take_ready()]
        while (task := schedule.start_next()) is not None:
            history.append(("start", task))
            running.append(task)
        if not running:
            return history, dict(schedule.never_started())
        ended = running.pop(next(ends) % len(running))
        history.append(("end", ended))
        schedule.finish(ended, "failed" if ended in scenario.failing else "done")


@given(scenarios(), st.booleans())
def test_every_task_ends_once_or_is_left_out_for_a_reason(
    scenario: Scenario,
    stop_at_failure: bool,  # noqa: FBT001 - hypothesis passes arguments by place
) -> None:
    history, left_out = play(scenario, stop_at_failure=stop_at_failure)
    ended = Counter(task for what, task in history if what == "end")
    assert set(ended.values()) <= {1}
    assert ended.keys() | left_out.keys() == {task.id for task in scenario.tasks}
    assert not ended.keys() & left_out.keys()
    assert all(left_out.values())


@given(scenarios())
def test_no_task_starts_before_what_it_needs_has_passed(scenario: Scenario) -> None:
    history, left_out = play(scenario, stop_at_failure=False)
    needs = {task.id: task.depends_on for task in scenario.tasks}
    passed: set[TaskId] = set()
    for what, task in history:
        if what == "start":
            assert set(needs[task]) <= passed
        elif what == "end" and task not in scenario.failing:
            passed.add(task)
    for task, reason in left_out.items():
        assert not set(needs[task]) <= passed
        assert reason.removeprefix("dependency failed: ") in scenario.failing


@given(scenarios())
def test_no_limit_is_ever_exceeded(scenario: Scenario) -> None:
    history, _ = play(scenario, stop_at_failure=False)
    tasks = {task.id: task for task in scenario.tasks}
    running: set[TaskId] = set()
    for what, task in history:
        if what == "start":
            running.add(task)
        elif what == "end":
            running.discard(task)
        assert len(running) <= scenario.concurrency
        for pool, limit in scenario.pools.items():
            assert sum(tasks[name].pool == pool for name in running) <= limit
        assert len(running) <= 1 or not any(tasks[name].interactive for name in running)


@given(scenarios())
def test_the_same_plan_runs_in_the_same_order(scenario: Scenario) -> None:
    assert play(scenario, stop_at_failure=True) == play(scenario, stop_at_failure=True)


@given(scenarios())
def test_nothing_starts_after_a_failure(scenario: Scenario) -> None:
    history, _ = play(scenario, stop_at_failure=True)
    failed = [
        i for i, (what, task) in enumerate(history) if what == "end" and task in scenario.failing
    ]
    if failed:
        assert not [task for what, task in history[failed[0] :] if what == "start"]


def order(*tasks: Task, weights: dict[TaskId, int] | None = None) -> list[TaskId]:
    """The order in which one worker takes these tasks."""
    schedule = Schedule(tasks, concurrency=1, pools={}, weights=weights)
    taken = []
    while (task := schedule.start_next()) is not None:
        taken.append(task)
        schedule.finish(task)
    return taken


def task(name: str, *needs: str, priority: int = 0) -> Task:
    return Task(id=TaskId(name), depends_on=tuple(map(TaskId, needs)), priority=priority)


def test_a_higher_priority_goes_first_then_the_longer_chain_then_the_smaller_id() -> None:
    tasks = [task("a"), task("b"), task("c"), task("d", priority=1), task("e", "c")]
    assert order(*tasks) == ["d", "c", "a", "b", "e"]


def test_a_chain_is_as_long_as_its_tasks_took_last_time() -> None:
    tasks = [task("a"), task("b"), task("c", "a")]
    assert order(*tasks, weights={TaskId("b"): 10}) == ["b", "a", "c"]


def test_a_chain_of_ten_thousand_tasks_needs_no_recursion() -> None:
    tasks = [task("t0"), *(task(f"t{n}", f"t{n - 1}") for n in range(1, 10_000))]
    assert len(order(*tasks)) == 10_000


@given(scenarios())
def test_the_loop_keeps_to_the_schedule(scenario: Scenario) -> None:
    """What the event loop starts is what the schedule allows, whenever the tasks may end."""
    needs = {task.id: task.depends_on for task in scenario.tasks}
    started: list[TaskId] = []
    passed: set[TaskId] = set()
    ready: list[TaskId] = []

    async def run() -> None:
        schedule = Schedule(
            scenario.tasks,
            concurrency=scenario.concurrency,
            pools=scenario.pools,
            continue_mode="dependencies-successful",
        )

        async def start(task: TaskId) -> Ending:
            assert set(needs[task]) <= passed
            started.append(task)
            # As many turns of the loop as the scenario says: no clock is involved.
            for _ in range(scenario.ends[len(started) - 1] % 5):
                await asyncio.sleep(0)
            if task in scenario.failing:
                return "failed"
            passed.add(task)
            return "done"

        await drive(schedule, start, on_ready=ready.append, stop=asyncio.Event())

    asyncio.run(run())
    assert len(started) == len(set(started))
    assert set(started) == set(ready)


def test_nothing_starts_once_the_run_is_interrupted() -> None:
    started: list[TaskId] = []
    stop = asyncio.Event()

    async def start(task: TaskId) -> Ending:
        started.append(task)
        stop.set()
        return "cancelled"

    schedule = Schedule([task("a"), task("b", "a"), task("c", "b")], concurrency=1, pools={})
    asyncio.run(drive(schedule, start, on_ready=lambda _: None, stop=stop))
    assert started == ["a"]
    assert dict(schedule.never_started()) == {"b": "interrupted", "c": "interrupted"}
