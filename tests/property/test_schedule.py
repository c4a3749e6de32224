"""The schedule against a reference that is too simple to be wrong, step by step.

The reference looks at every task at every step and says which has to start next. That it is none
before its needs, none twice and none above a limit can be read off it.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipec.ir.task import Task, TaskId
from pipec.runtime.record import ContinueMode
from pipec.runtime.schedule import Ending, Schedule

MODES: tuple[ContinueMode, ...] = ("never", "dependencies-successful", "always")
POOLS = ("", "", "db", "net", "unknown")


@st.composite
def plans(draw: st.DrawFn) -> list[Task]:
    """Tasks, each after those it depends on, with ids in another order."""
    ids = draw(
        st.permutations([TaskId(f"t{number}") for number in range(draw(st.integers(1, 10)))])
    )
    tasks = []
    for place, name in enumerate(ids):
        needs = draw(st.sets(st.sampled_from(ids[:place]), max_size=3)) if place else set()
        # What is no part of the plan counts as met.
        outside = {TaskId("outside")} if draw(st.integers(0, 9)) == 0 else set()
        tasks.append(
            Task(
                id=name,
                depends_on=tuple(sorted(needs | outside)),
                priority=draw(st.integers(-1, 1)),
                pool=draw(st.sampled_from(POOLS)),
                interactive=draw(st.integers(0, 9)) == 0,
            )
        )
    return tasks


class Scheduling(RuleBasedStateMachine):
    """One run: tasks start when the schedule says so, and end in any order and any way."""

    @initialize(
        tasks=plans(),
        concurrency=st.integers(1, 4),
        db=st.integers(1, 2),
        mode=st.sampled_from(MODES),
        lengths=st.lists(st.integers(0, 4), min_size=10, max_size=10),
    )
    def plan(
        self,
        tasks: list[Task],
        concurrency: int,
        db: int,
        mode: ContinueMode,
        lengths: list[int],
    ) -> None:
        self.tasks = {task.id: task for task in tasks}
        self.concurrency, self.mode = concurrency, mode
        self.pools = {"db": db, "net": 1}
        self.weights = dict(zip(self.tasks, lengths, strict=False))
        self.schedule = self.open()
        self.history: list[tuple[str, TaskId, Ending]] = []
        self.running: list[TaskId] = []
        self.ended: dict[TaskId, Ending] = {}
        self.ready: list[TaskId] = []
        self.stopped = ""

    def open(self) -> Schedule:
        return Schedule(
            list(self.tasks.values()),
            concurrency=self.concurrency,
            pools=self.pools,
            weights=self.weights,
            continue_mode=self.mode,
        )

    def chain(self, name: TaskId) -> int:
        after = [task.id for task in self.tasks.values() if name in task.depends_on]
        return max(1, self.weights[name]) + max(map(self.chain, after), default=0)

    def is_met(self, need: TaskId) -> bool:
        ending = self.ended.get(need, "done" if need not in self.tasks else None)
        return ending == "done" or (ending == "failed" and self.mode == "always")

    def has_room(self, task: Task) -> bool:
        used = sum(self.tasks[name].pool == task.pool for name in self.running)
        return not task.pool or used < self.pools.get(task.pool, 1)

    def next(self) -> TaskId | None:
        """What has to start now."""
        if self.stopped or len(self.running) >= self.concurrency:
            return None
        if any(self.tasks[name].interactive for name in self.running):
            return None
        waiting = [
            task
            for task in self.tasks.values()
            if task.id not in self.ended and task.id not in self.running
            if all(map(self.is_met, task.depends_on))
        ]
        waiting.sort(key=lambda task: (-task.priority, -self.chain(task.id), task.id))
        for task in waiting:
            if task.interactive and self.running:
                return None
            if self.has_room(task):
                return task.id
        return None

    @rule()
    def start(self) -> None:
        self.ready += self.schedule.take_ready()
        expected = self.next()
        assert self.schedule.start_next() == expected
        if expected is not None:
            assert expected in self.ready
            self.running.append(expected)
            self.history.append(("start", expected, "done"))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), ending=st.sampled_from(["done", "done", "done", "failed"]))
    def end(self, data: st.DataObject, ending: Ending) -> None:
        name = data.draw(st.sampled_from(self.running))
        if self.stopped == "interrupted":
            ending = "cancelled"
        self.running.remove(name)
        self.ended[name] = ending
        self.history.append(("end", name, ending))
        if ending == "failed" and self.mode == "never":
            self.stopped = self.stopped or f"stopped after failure of {name}"
        self.schedule.finish(name, ending)

    @precondition(lambda self: not self.stopped and len(self.ended) > 2)
    @rule()
    def interrupt(self) -> None:
        self.stopped = "interrupted"
        self.schedule.stop("interrupted")

    @invariant()
    def counts_what_runs(self) -> None:
        if hasattr(self, "schedule"):
            assert self.schedule.running == len(self.running)
            assert self.schedule.is_stopped == bool(self.stopped)

    def teardown(self) -> None:
        """Every task is in exactly one final state, and the same history starts the same tasks."""
        if not hasattr(self, "schedule"):
            return
        while self.running or self.next() is not None:
            while self.next() is not None:
                self.start()
            name = self.running.pop(0)
            self.ended[name] = "done"
            self.history.append(("end", name, "done"))
            self.schedule.finish(name)
        never = dict(self.schedule.never_started())
        assert self.ended.keys() | never.keys() == self.tasks.keys()
        assert not self.ended.keys() & never.keys()
        for name, reason in never.items():
            assert reason in self.reasons(name)
        self.repeat()

    def reasons(self, name: TaskId) -> set[str]:
        """Why a task may say that it never started."""
        failed = set[TaskId]()
        before = list(self.tasks[name].depends_on)
        while before:
            need = before.pop()
            if self.ended.get(need) == "failed":
                failed.add(need)
            elif need in self.tasks and need not in self.ended:
                before += self.tasks[need].depends_on
        if failed and self.mode != "always":
            return {f"dependency failed: {need}" for need in failed}
        return {self.stopped} - {""}

    def repeat(self) -> None:
        again = self.open()
        for what, name, ending in self.history:
            if what == "start":
                assert again.start_next() == name
            else:
                again.finish(name, ending)


Scheduling.TestCase.settings = settings(max_examples=150, stateful_step_count=30)
TestScheduling = Scheduling.TestCase
