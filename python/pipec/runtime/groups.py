"""The process groups of a run that are alive, and signals to all of them."""

import os
from signal import Signals

from pipec.runtime.reaper import Reaper


class Groups:
    """Every command has a group and session of its own; the id is that of its first process."""

    def __init__(self, reaper: Reaper) -> None:
        self._reaper = reaper
        self._groups: set[int] = set()
        self._alone: set[int] = set()
        self._graces: dict[int, float] = {}

    def add(self, group: int, *, grace_s: float | None = None) -> None:
        """A new group; `grace_s`: it has this long, not the run's grace, when the run ends."""
        self._groups.add(group)
        if grace_s is not None:
            self._graces[group] = grace_s
        self._reaper.watch(group)

    def add_process(self, pid: int) -> None:
        """A process in pipec's own group: the one that has the terminal."""
        self._alone.add(pid)

    def discard(self, leader: int) -> None:
        """The group, or the process, is gone."""
        self._alone.discard(leader)
        self._graces.pop(leader, None)
        if leader in self._groups:
            self._groups.discard(leader)
            self._reaper.forget(leader)

    def signal(self, leader: int, number: Signals) -> None:
        """A signal to one of them; nothing happens if it is gone."""
        try:
            if leader in self._groups:
                os.killpg(leader, number)
            elif leader in self._alone:
                os.kill(leader, number)
        except (ProcessLookupError, PermissionError):
            pass

    def signal_all(self, number: Signals) -> None:
        """A signal to all of them."""
        for leader in [*self._groups, *self._alone]:
            self.signal(leader, number)

    def graces(self, usual_s: float) -> frozenset[float]:
        """How long groups have between being asked to end and being killed."""
        return frozenset({usual_s, *self._graces.values()})

    def kill_after(self, grace_s: float, usual_s: float) -> None:
        """Kills the groups, and the processes, that have just this grace."""
        for leader in [*self._groups, *self._alone]:
            if self._graces.get(leader, usual_s) <= grace_s:
                self.signal(leader, Signals.SIGKILL)

    @property
    def live(self) -> frozenset[int]:
        """The groups that are registered now."""
        return frozenset(self._groups)
