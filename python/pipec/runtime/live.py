"""A run under way, as far as somebody from outside may take part in it."""

from collections.abc import Iterable, Mapping

from pipec.codes import Code
from pipec.ir.task import TaskId
from pipec.runtime.found import Found
from pipec.runtime.record import TaskRecord
from pipec.runtime.recorder import Recorder
from pipec.runtime.schedule import Schedule
from pipec.runtime.upkeep import Upkeep

STALE = "inputs changed"
OUT_OF_TIME = "timed out"
"""Why a run ended before its time in a watch."""


class LiveRun:
    """Knows what runs, and can end a part of it."""

    def __init__(
        self, schedule: Schedule, upkeep: Upkeep, recorder: Recorder, found: Found
    ) -> None:
        self._schedule = schedule
        self._upkeep = upkeep
        self._recorder = recorder
        self.is_stale = False
        self.limit = ""
        """How long the run was allowed to take, if that was too short."""
        self.found = found

    def running(self) -> Mapping[TaskId, str]:
        """The tasks that run their steps now, with the keys under which they do."""
        return self._upkeep.running()

    def task(self, task: TaskId) -> TaskRecord:
        """The record of a task as it is now."""
        return self._recorder.task(task)

    def run_out(self, limit: str) -> None:
        """Time is up: ends what runs, and services that are not ready yet."""
        self.limit = limit
        self._schedule.stop(self.reason)
        self._recorder.warn(Code.TIMED_OUT, f"{limit}: the tasks are asked to end")
        self._upkeep.halt_all(self.reason)

    @property
    def reason(self) -> str:
        """What ended the run before its time, for its record."""
        return f"{OUT_OF_TIME}: {self.limit}" if self.limit else STALE

    def halt(self, tasks: Iterable[TaskId], reason: str) -> None:
        """Ends these tasks; nothing starts any more, and the others come to their end."""
        self.is_stale = True
        self._schedule.stop(reason)
        for task in tasks:
            self._upkeep.halt(task, reason)
