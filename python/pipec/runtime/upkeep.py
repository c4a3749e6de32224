"""The services of a run: each up before the first task that needs it, and until the last has ended.

A service whose dependents are all cached is never started. One that was asked for by name stays
until the run is interrupted.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial

from pipec.codes import Code
from pipec.ir.task import Task, TaskId
from pipec.plan.services import asked_services, services_of
from pipec.runtime.context import RunContext
from pipec.runtime.halt import Halt
from pipec.runtime.host import Host
from pipec.runtime.outcome import NOT_NEEDED, skipped_record
from pipec.runtime.platforms import runs_here
from pipec.runtime.ready import code_token
from pipec.runtime.record import TaskRecord
from pipec.runtime.service import RunningService

_NO_LONGER_NEEDED = "no longer needed"


class Upkeep:
    """Starts services when they are needed and ends them when they no longer are.

    `settle` is told how each service of the plan ended. With a `host` services stay up when the run
    is over, and those that are as they were are taken over from the run before.
    """

    def __init__(
        self, run: RunContext, settle: Callable[[TaskRecord], None], host: Host | None = None
    ) -> None:
        pipeline, plan = run.request.pipeline, run.request.plan
        self._run = run
        self._host = host
        self._keeper = run
        if host is not None:
            self._keeper = replace(run, processes=host.processes, reaper=host.reaper)
        self._settle = settle
        self._asked = asked_services(pipeline, plan.targets)
        self._needs: dict[TaskId, list[TaskId]] = {}
        self._waiting: dict[TaskId, set[TaskId]] = {}
        """Of each service the tasks of the plan that may need it yet."""
        for task_id in plan.tasks:
            task = pipeline.tasks[task_id]
            if not runs_here(task, run.request.platform):
                continue
            if task.service is not None:
                self._waiting.setdefault(task_id, set())
            # In the order of the plan a service comes before those that need it.
            needs = [need for need in services_of(pipeline, task) if need in self._waiting]
            self._needs[task_id] = needs
            for service in needs:
                self._waiting[service].add(task_id)
        self._keys: dict[TaskId, str | None] = {}
        self._services: dict[TaskId, RunningService] = {}
        self._settled: set[TaskId] = set()
        self._halts: dict[TaskId, Halt] = {}
        self._endings: set[asyncio.Future[None]] = set()

    def is_asked_for(self, service: TaskId) -> bool:
        """Whether it was asked for by name."""
        return service in self._asked

    def dependents(self, service: TaskId) -> frozenset[TaskId]:
        """The tasks of the plan that may need it yet."""
        return frozenset(self._waiting[service])

    async def open(self) -> None:
        """Ends the services of the run before that are not of this plan."""
        if self._host is not None:
            for service in [name for name in self._host.standing if name not in self._waiting]:
                await self._host.standing.pop(service).stop(_NO_LONGER_NEEDED)

    async def decided(self, service: TaskId, key: str | None) -> None:
        """The key of a service is known: from now on it may be started.

        One that is up under this key is taken over; one that is up under another is ended.
        """
        self._keys[service] = key
        running = None if self._host is None else self._host.standing.pop(service, None)
        if running is None or running.is_over:
            return
        if running.key != key:
            await running.stop("its inputs changed")
            return
        running.on_end = lambda: self._has_ended(service)
        running.stays_up(self._run.recorder)
        self._services[service] = running

    async def require(self, task: Task) -> TaskId | None:
        """Brings up what the task needs; the service that cannot be brought up, if there is one."""
        for service in self._needs.get(task.id, ()):
            if not await self.bring_up(service):
                return service
        return None

    async def bring_up(self, service: TaskId) -> bool:
        """Starts a service, and what it needs itself; gives whether it is ready."""
        if service not in self._services:
            task = self._run.request.pipeline.tasks[service]
            failed = await self.require(task)
            if failed is not None:
                if service not in self._settled:
                    self._settle_once(skipped_record(service, f"dependency failed: {failed}"))
                return False
        # While it waited for what it needs, somebody else may have started it.
        if service in self._settled and service not in self._services:
            return False
        if service not in self._services:
            self._services[service] = RunningService(
                self._keeper,
                self._run.request.pipeline.tasks[service],
                key=self._keys.get(service),
                stays=service in self._asked,
                on_end=lambda: self._has_ended(service),
            )
        return await self._services[service].wait_until_ready()

    def failed_for(self, task: TaskId) -> TaskId | None:
        """A service that the task needs and that failed, if there is one."""
        for service in self._needs.get(task, ()):
            running = self._services.get(service)
            if (running is not None and running.failure is not None) or self._was_skipped(service):
                return service
        return None

    def began(self, task: TaskId, halt: Halt) -> None:
        """A task runs its steps; `halt` ends it."""
        self._halts[task] = halt

    def calls(self, task: Task, halt: Halt) -> None:
        """Functions of a task are called to find its key; `halt` ends that."""
        if self._host is not None:
            self._run.found.code[task.id] = code_token(self._run.request.root, task)
        self._halts[task.id] = halt

    def running(self) -> dict[TaskId, str]:
        """The tasks that run their steps now, with their keys."""
        return {task: halt.key for task, halt in self._halts.items()}

    def halt(self, task: TaskId, reason: str) -> None:
        """Ends a task that runs its steps."""
        if task in self._halts:
            self._halts[task].request(reason)

    def halt_all(self, reason: str) -> None:
        """Ends every task that runs its steps, and every service that is not ready yet."""
        for halt in self._halts.values():
            halt.request(reason)
        for service in self._services.values():
            if service.is_starting:
                self._keep(service.stop(reason))

    def ended(self, task: TaskId) -> None:
        """A task is in its final state: services that only it still needed are ended."""
        self._halts.pop(task, None)
        for service in self._needs.pop(task, ()):
            waiting = self._waiting[service]
            waiting.discard(task)
            if not waiting and service not in self._asked and self._host is None:
                self._keep(self._end(service, _NO_LONGER_NEEDED))

    def skip(self, record: TaskRecord) -> None:
        """A task, or a service, that never came to its turn."""
        if record.id in self._waiting:
            self._settle_once(record)
        else:
            self._settle(record)
            self.ended(TaskId(record.id))

    async def stay(self) -> None:
        """Waits while services that were asked for are up: until one ends, or the run is to end."""
        if self._host is not None:
            return
        asked = [running for service, running in self._services.items() if service in self._asked]
        interrupted = asyncio.ensure_future(self._run.interrupt.event.wait())
        waiting = {asyncio.ensure_future(running.wait_until_over()) for running in asked}
        try:
            if waiting:
                await asyncio.wait({*waiting, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for future in (*waiting, interrupted):
                future.cancel()

    async def close(self) -> None:
        """Ends every service, those that need others first, and settles all of them."""
        while self._endings:
            await asyncio.gather(*self._endings)
        up = [service for service, running in self._services.items() if not running.is_over]
        if self._host is not None and not self._run.interrupt.requested:
            self._leave_up(self._host, up)
            up = []
        # Each was started after those that it needs.
        for service in reversed(up):
            await self._end(service, "" if self._run.interrupt.requested else "the run is over")
        for service in self._waiting:
            self._settle_once(skipped_record(service, NOT_NEEDED))

    def _leave_up(self, host: Host, services: Sequence[TaskId]) -> None:
        for service in services:
            running = self._services[service]
            host.standing[service] = running
            running.on_end = partial(host.has_ended, running)
            self._settle_once(running.record())

    def _keep(self, ending: Coroutine[object, object, None]) -> None:
        """An ending that is waited for when all of it ends."""
        future = asyncio.ensure_future(ending)
        self._endings.add(future)
        future.add_done_callback(self._endings.discard)

    async def _end(self, service: TaskId, reason: str) -> None:
        running = self._services.get(service)
        if running is not None:
            await running.stop(reason)
        elif service in self._keys:
            self._settle_once(skipped_record(service, NOT_NEEDED))

    def _has_ended(self, service: TaskId) -> None:
        running = self._services[service]
        self._settle_once(running.record())
        failure = running.failure
        if failure is not None:
            for task in self._waiting[service]:
                halt = self._halts.get(task)
                if halt is not None:
                    message = f"the service `{service}` ended while the task needed it"
                    error = self._run.error(Code.SERVICE_ENDED, message)
                    halt.request(f"dependency failed: {service}", error)

    def _settle_once(self, record: TaskRecord) -> None:
        service = TaskId(record.id)
        if service not in self._settled:
            self._settled.add(service)
            self._settle(record)
            self.ended(service)

    def _was_skipped(self, service: TaskId) -> bool:
        if service not in self._settled or service in self._services:
            return False
        return (self._run.recorder.task(service).reason or "").startswith("dependency failed")
