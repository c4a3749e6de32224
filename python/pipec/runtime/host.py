"""What runs that follow each other share: who ends them all, and the services that stay up."""

import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pipec.clock import Clock
from pipec.runtime.groups import Groups
from pipec.runtime.interrupt import Interrupt
from pipec.runtime.process import Processes
from pipec.runtime.reaper import Reaper
from pipec.runtime.service import RunningService

if TYPE_CHECKING:
    from pipec.ir.task import TaskId
    from pipec.runtime.live import LiveRun


class Host:
    """The processes here are those of services; `id` marks them, as a run's id marks its own."""

    def __init__(
        self, host_id: str, *, clock: Clock, host_env: Mapping[str, str], kill_grace_s: float
    ) -> None:
        self.id = host_id
        self.reaper = Reaper(host_id, host_env)
        self.groups = Groups(self.reaper)
        self.processes = Processes(self.groups, clock, kill_grace_s=kill_grace_s)
        self.interrupt = Interrupt(
            self.groups, kill_grace_s=kill_grace_s, on_begin=lambda _code, _cause: None
        )
        self.standing: dict[TaskId, RunningService] = {}
        self.live: LiveRun | None = None
        self.on_service_end: Callable[[RunningService], None] = lambda _service: None

    def has_ended(self, service: RunningService) -> None:
        """A service that stays up between runs has ended by itself."""
        self.standing.pop(service.task.id, None)
        self.on_service_end(service)

    async def close(self) -> None:
        """Ends every service, those that need others first, and whatever they left."""
        reason = "" if self.interrupt.requested else "the watch is over"
        for service in reversed(list(self.standing.values())):
            await service.stop(reason)
        self.standing.clear()
        if self.interrupt.requested:
            await self.processes.end_survivors()
        self.reaper.stop()

    def kill(self) -> None:
        """Ends everything at once."""
        self.groups.signal_all(signal.SIGKILL)
