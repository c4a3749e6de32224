"""The process groups of a run that are alive, and signals to all of them."""

import os
from signal import Signals
from typing import TYPE_CHECKING

from pipec.runtime.reaper import Reaper

if TYPE_CHECKING:
    from pipec.runtime.foreground import Foreground


class Groups:
    """Every command has a group of its own; the id is that of its first process.

    It is also that of a session, unless the command has the terminal.
    """

    def __init__(self, reaper: Reaper) -> None:
        self._reaper = reaper
        self._groups: set[int] = set()
        self._graces: dict[int, float] = {}
        self._marks: dict[str, int] = {}
        self.foreground: Foreground | None = None
        """The terminal, while one of the groups may have it."""

    def add(self, group: int, *, grace_s: float | None = None) -> None:
        """A new group; `grace_s`: it has this long, not the run's grace, when the run ends."""
        self._groups.add(group)
        if grace_s is not None:
            self._graces[group] = grace_s
        self._reaper.watch(group)

    def discard(self, leader: int) -> None:
        """The group is gone."""
        self._graces.pop(leader, None)
        if leader in self._groups:
            self._groups.discard(leader)
            self._reaper.forget(leader)

    def signal(self, leader: int, number: Signals) -> None:
        """A signal to one of them; nothing happens if it is gone."""
        try:
            if leader in self._groups:
                os.killpg(leader, number)
        except (ProcessLookupError, PermissionError):
            pass

    def signal_all(self, number: Signals) -> None:
        """A signal to all of them."""
        for leader in [*self._groups]:
            self.signal(leader, number)

    def graces(self, usual_s: float) -> frozenset[float]:
        """How long groups have between being asked to end and being killed."""
        return frozenset({usual_s, *self._graces.values()})

    def kill_after(self, grace_s: float, usual_s: float) -> None:
        """Kills the groups that have just this grace."""
        for leader in [*self._groups]:
            if self._graces.get(leader, usual_s) <= grace_s:
                self.signal(leader, Signals.SIGKILL)

    @property
    def run_id(self) -> str:
        """The run that they belong to."""
        return self._reaper.run_id

    def mark_of(self, task: str) -> int:
        """What processes of the task are marked with; without a task, those of the run alone."""
        marks = self._reaper.marks
        if not task:
            return marks.run
        if task not in self._marks:
            self._marks[task] = marks.of_next_task()
        return self._marks[task]

    @property
    def live(self) -> frozenset[int]:
        """The groups that are registered now."""
        return frozenset(self._groups)

    def take_terminal_back(self) -> None:
        """The terminal is as it was before a group had it."""
        if self.foreground is not None:
            self.foreground.take_back()

    def went_on(self) -> None:
        """Pipec was stopped, or in the background, and goes on."""
        if self.foreground is not None:
            self.foreground.went_on()
