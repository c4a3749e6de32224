"""The order of tasks: which may start now, which wait, which never will. Plain data, no clock."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from heapq import heappop, heappush
from typing import Literal

from pipec.ir.task import Task, TaskId
from pipec.runtime.record import ContinueMode

_Rank = tuple[int, int, TaskId]

Ending = Literal["done", "failed", "cancelled"]


class _State(Enum):
    """Where a task stands: in exactly one of these."""

    WAITING = auto()
    READY = auto()
    RUNNING = auto()
    DONE = auto()
    # Failed: what depends on it will not run.
    FAILED = auto()
    # Ended from outside, like the run.
    CANCELLED = auto()


class Schedule:
    """Kahn's algorithm with a stable heap: priority, then the longest remaining chain, then id.

    `tasks` are in topological order; dependencies outside of them count as met. `weights` gives
    the expected length of a task (any unit; 1 where it is not known). At most `concurrency` tasks
    run at once, at most `pools[name]` of one pool, and an interactive task runs alone.
    `continue_mode`: what still starts after a failure.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        concurrency: int,
        pools: Mapping[str, int],
        weights: Mapping[TaskId, int] | None = None,
        continue_mode: ContinueMode = "never",
    ) -> None:
        self._tasks = {task.id: task for task in tasks}
        self._states = dict.fromkeys(self._tasks, _State.WAITING)
        self._concurrency = concurrency
        self._mode = continue_mode
        self._free = dict(pools)
        self._parked: dict[str, list[_Rank]] = {}
        self._running = 0
        self._runs_alone = False
        self._stopped = ""
        self._ready: list[_Rank] = []
        self._became_ready: list[TaskId] = []
        self._dependents: dict[TaskId, list[TaskId]] = {task: [] for task in self._tasks}
        self._missing = dict.fromkeys(self._tasks, 0)
        for task in tasks:
            for need in task.depends_on:
                if need in self._tasks:
                    self._dependents[need].append(task.id)
                    self._missing[task.id] += 1
        self._ranks = self._rank(tasks, weights or {})
        for task in tasks:
            if not self._missing[task.id]:
                self._make_ready(task.id)

    def take_ready(self) -> list[TaskId]:
        """The tasks that became ready since the last call."""
        ready, self._became_ready = self._became_ready, []
        return ready

    def start_next(self) -> TaskId | None:
        """Takes the next task that may start now; None if none may."""
        if self._stopped or self._runs_alone or self._running >= self._concurrency:
            return None
        while self._ready:
            rank = self._ready[0]
            task = self._tasks[rank[2]]
            if task.interactive and self._running:
                # It is its turn: whoever starts before it would only make it wait longer.
                return None
            heappop(self._ready)
            if task.pool and self._free.get(task.pool, 1) <= 0:
                heappush(self._parked.setdefault(task.pool, []), rank)
                continue
            self._start(task)
            return task.id
        return None

    def finish(self, task: TaskId, ending: Ending = "done") -> None:
        """A running task ended.

        What depends on it may run if it is done, or whatever became of it if that is the mode.
        """
        ended = self._tasks[task]
        assert self._states[task] is _State.RUNNING
        self._running -= 1
        self._runs_alone = False
        if ended.pool:
            self._free[ended.pool] += 1
            if parked := self._parked.get(ended.pool):
                heappush(self._ready, heappop(parked))
        self._states[task] = _State[ending.upper()]
        if ending == "failed" and self._mode == "never":
            self.stop(f"stopped after failure of {task}")
        if ending != "done" and not (ending == "failed" and self._mode == "always"):
            return
        for dependent in self._dependents[task]:
            self._missing[dependent] -= 1
            if not self._missing[dependent]:
                self._make_ready(dependent)

    def stop(self, reason: str) -> None:
        """Nothing starts from now on. The first reason counts."""
        self._stopped = self._stopped or reason

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return bool(self._stopped)

    @property
    def running(self) -> int:
        """How many tasks run."""
        return self._running

    def never_started(self) -> Iterator[tuple[TaskId, str]]:
        """The tasks that did not start, in topological order, and why."""
        culprits: dict[TaskId, TaskId] = {}
        for task_id, task in self._tasks.items():
            state = self._states[task_id]
            if state is _State.FAILED and self._mode != "always":
                culprits[task_id] = task_id
            if state not in (_State.WAITING, _State.READY):
                continue
            culprit = next((culprits[need] for need in task.depends_on if need in culprits), None)
            if culprit is None:
                yield task_id, self._stopped
            else:
                culprits[task_id] = culprit
                yield task_id, f"dependency failed: {culprit}"

    def _start(self, task: Task) -> None:
        self._states[task.id] = _State.RUNNING
        self._running += 1
        self._runs_alone = task.interactive
        if task.pool:
            self._free[task.pool] = self._free.get(task.pool, 1) - 1

    def _make_ready(self, task: TaskId) -> None:
        self._states[task] = _State.READY
        self._became_ready.append(task)
        heappush(self._ready, self._ranks[task])

    def _rank(self, tasks: Iterable[Task], weights: Mapping[TaskId, int]) -> dict[TaskId, _Rank]:
        chains: dict[TaskId, int] = {}
        ranks: dict[TaskId, _Rank] = {}
        for task in reversed(list(tasks)):
            after = max((chains[d] for d in self._dependents[task.id]), default=0)
            chains[task.id] = after + max(1, weights.get(task.id, 1))
            ranks[task.id] = (-task.priority, -chains[task.id], task.id)
        return ranks
