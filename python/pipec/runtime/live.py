"""A run under way, as far as somebody from outside may take part in it."""

from collections.abc import Iterable, Mapping

from pipec.ir.task import TaskId
from pipec.runtime.record import TaskRecord
from pipec.runtime.recorder import Recorder
from pipec.runtime.schedule import Schedule
from pipec.runtime.upkeep import Upkeep


class LiveRun:
    """Knows what runs, and can end a part of it."""

    def __init__(self, schedule: Schedule, upkeep: Upkeep, recorder: Recorder) -> None:
        self._schedule = schedule
        self._upkeep = upkeep
        self._recorder = recorder
        self.is_stale = False

    def running(self) -> Mapping[TaskId, str]:
        """The tasks that run their steps now, with the keys under which they do."""
        return self._upkeep.running()

    def task(self, task: TaskId) -> TaskRecord:
        """The record of a task as it is now."""
        return self._recorder.task(task)

    def halt(self, tasks: Iterable[TaskId], reason: str) -> None:
        """Ends these tasks; nothing starts any more, and the others come to their end."""
        self.is_stale = True
        self._schedule.stop(reason)
        for task in tasks:
            self._upkeep.halt(task, reason)
