"""Runs a plan again and again, as its inputs change: events only wake, the keys decide.

Every cycle is a run with a record of its own. Services stay up from run to run. A task that runs
while its inputs change is ended, and started again by the next run, when the others have ended.
"""

import asyncio
import dataclasses
import signal
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from pipec.codes import Code
from pipec.errors import PipecError
from pipec.ir.task import Task, TaskId
from pipec.runtime.assess import Assessment, assess
from pipec.runtime.events import Event, WarningRaised, WatchChanged, WatchWaiting
from pipec.runtime.executor import execute_within
from pipec.runtime.found import Found
from pipec.runtime.host import Host
from pipec.runtime.live import OUT_OF_TIME
from pipec.runtime.lock import RunLock
from pipec.runtime.ready import code_token
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.recorder import Recorder
from pipec.runtime.records import new_run_id, prune
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.run import begin, keep_evidence_of, repair_left_behind, take_lock
from pipec.runtime.service import RunningService
from pipec.runtime.unsupported import refuse_unsupported
from pipec.runtime.wakes import Wakes, why_not
from pipec.runtime.watched import folders, full_token, tokens

_BETWEEN_TRIES_S = 0.2
_STALE = "its inputs changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSource:
    """Where requests come from. `files` are looked at beside the inputs of tasks, absolute.

    `reload` gives the request of the pipeline as it is now; None while it is what it was, or when
    it is wrong, which it tells by itself: then the last good one counts on.
    """

    files: tuple[str, ...]
    reload: Callable[[], RunRequest | None]


def watch(
    request: RunRequest, services: Services, source: WatchSource, *, poll: bool, limit: int
) -> int:
    """Watches until it is interrupted; gives the exit status.

    `poll`: looks from time to time instead of listening. `limit`: to how many folders it may listen
    at most, 0 for as many as the system allows.

    Raises:
        PipecError: the first run cannot be started.
    """
    refuse_unsupported(request)
    with asyncio.Runner(loop_factory=services.open_loop) as runner:
        return runner.run(_Watch(request, services, source).go(poll=poll, limit=limit))


class _Watch:
    def __init__(self, request: RunRequest, services: Services, source: WatchSource) -> None:
        self._request = request
        self._services = services
        self._source = source
        self._known: dict[TaskId, str] = {}
        """What decided about each task when it last ended: its key, or what stands for it."""
        self._records: dict[TaskId, TaskRecord] = {}
        self._passed: dict[str, Mapping[str, str]] = {}
        self._failed: dict[str, str] = {}
        self._found = Found()
        self._runs = 0
        self._has_told_of_lock = False

    async def go(self, *, poll: bool, limit: int) -> int:
        clock = self._services.clock
        self._host = Host(
            new_run_id(clock.now_ms()),
            clock=clock,
            host_env=self._request.host_env,
            kill_grace_s=self._request.kill_grace_ms / 1000,
        )
        self._host.on_service_end = self._tell_service_end
        interrupt = self._host.interrupt
        if self._services.handle_signals:
            interrupt.install()
        if self._services.stop is not None:
            loop = asyncio.get_running_loop()
            self._services.stop.attach(
                lambda: loop.call_soon_threadsafe(interrupt.begin, signal.SIGINT)
            )
        self._wakes = Wakes(poll=poll, limit=limit, on_polling=self._tell_polling)
        try:
            while not interrupt.requested:
                await self._run_once()
                await self._rest()
        except BaseException:
            self._host.kill()
            raise
        finally:
            await self._host.close()
            self._wakes.close()
            interrupt.uninstall()
            if self._services.stop is not None:
                self._services.stop.detach()
        return interrupt.exit_code

    async def _rest(self) -> None:
        """Comes back when there is something to run, or the watch is over."""
        is_told = False
        while not self._host.interrupt.requested:
            self._reload()
            assessment = await self._look()
            if assessment is not None:
                has_new_folders = self._wakes.listen(self._folders(assessment))
                changed = self._changed(assessment)
                if changed:
                    self._tell(WatchChanged(at_ms=self._now_ms(), tasks=tuple(changed)))
                    return
                if has_new_folders:
                    # Something may have happened there before somebody listened.
                    continue
            if not is_told:
                is_told = True
                self._tell_waiting()
            await self._woken()

    async def _run_once(self) -> None:
        """One cycle. A request that cannot be run is told of, and waits for the next change."""
        lock = await self._lock()
        if lock is None:
            return
        with lock:
            request = self._with_moment_ago()
            run_id = new_run_id(self._now_ms())
            services = dataclasses.replace(self._services, begun=None)
            repair_left_behind(request, services, lock)
            try:
                refuse_unsupported(request)
                assessment = await asyncio.to_thread(assess, request, services, run_id)
                assessment.check_environment()
            except PipecError as error:
                if not self._runs:
                    raise
                self._tell_error(error)
                return
            # What was read is not read again each time that somebody looks during the run.
            await asyncio.to_thread(assessment.save, lambda _code, _message: None)
            self._wakes.listen(self._folders(assessment))
            before = tokens(assessment)
            recorder = Recorder(request, services, run_id)
            begin(assessment, recorder)
            following = asyncio.ensure_future(self._follow())
            try:
                record = await execute_within(assessment, recorder, host=self._host)
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                if self._host.live is not None:
                    self._found = self._found.with_later(self._host.live.found)
                self._host.live = None
                self._host.interrupt.on_begin = lambda _code, _cause: None
            keep_evidence_of(assessment, record)
            prune(request.root, keep=request.keep_runs)
        self._runs += 1
        self._learn(record, before)

    async def _lock(self) -> RunLock | None:
        """The lock of the project, as soon as nobody else holds it; None if the watch is over."""
        request = dataclasses.replace(self._request, wait=False)
        services = dataclasses.replace(self._services, begun=None)
        while not self._host.interrupt.requested:
            try:
                lock = take_lock(request, services, new_run_id(self._now_ms()))
            except PipecError as error:
                if error.code is not Code.RUN_ACTIVE:
                    raise
                if not self._has_told_of_lock:
                    self._has_told_of_lock = True
                    self._tell_error(error)
                await self._pause(_BETWEEN_TRIES_S)
            else:
                self._has_told_of_lock = False
                return lock
        return None

    async def _follow(self) -> None:
        """While a run is under way: ends the tasks whose inputs are not what they were."""
        while True:
            await self._wakes.wait()
            self._reload()
            live = self._host.live
            if live is None or live.is_stale or not live.running():
                continue
            assessment = await self._look()
            if assessment is None:
                continue
            self._wakes.listen(self._folders(assessment))
            stale = [task for task in live.running() if self._is_stale(assessment, task)]
            if stale:
                self._tell(WatchChanged(at_ms=self._now_ms(), tasks=tuple(stale)))
                live.halt(stale, _STALE)

    def _is_stale(self, assessment: Assessment, task_id: TaskId) -> bool:
        """Whether a task that runs would run under another key now."""
        live = self._host.live
        assert live is not None
        task = assessment.request.pipeline.tasks.get(task_id)
        if task is None or task_id not in assessment.request.plan.tasks:
            return True
        key = live.running().get(task_id, "")
        called = live.found.code.get(task_id)
        if called is not None and called != code_token(assessment.request.root, task):
            return True
        decision = assessment.decision(task_id)
        if decision is not None and decision.key is not None:
            return decision.key != (key or decision.key)
        return any(self._is_other(assessment, need) for need in task.depends_on)

    def _is_other(self, assessment: Assessment, task_id: TaskId) -> bool:
        """Whether something that has ended in this run would have to run again."""
        live = self._host.live
        assert live is not None
        decision = assessment.decision(task_id)
        key = live.task(task_id).key
        if decision is not None and decision.key is not None and key is not None:
            return decision.key != key
        needs = assessment.request.pipeline.tasks[task_id].depends_on
        return any(self._is_other(assessment, need) for need in needs)

    async def _look(self) -> Assessment | None:
        """How things stand now; None if that cannot be said, which was told then."""
        found = self._found
        if self._host.live is not None:
            found = found.with_later(self._host.live.found)
        request = dataclasses.replace(self._with_moment_ago(), found=found)
        services = dataclasses.replace(self._services, begun=None)
        started = self._services.clock.monotonic()
        try:
            return await asyncio.to_thread(assess, request, services, self._host.id)
        except PipecError as error:
            self._tell_error(error)
            return None
        finally:
            self._wakes.looked(self._services.clock.monotonic() - started)

    def _with_moment_ago(self) -> RunRequest:
        """The request, with what became of tasks before and in the run under way."""
        passed, failed = dict(self._passed), dict(self._failed)
        if self._host.live is not None:
            for task in self._request.plan.tasks:
                try:
                    _note(self._host.live.task(task), passed, failed, frozenset())
                except KeyError:
                    continue
        return dataclasses.replace(self._request, passed=passed, failed=failed)

    def _changed(self, assessment: Assessment) -> list[TaskId]:
        """The tasks that would have to run, or that would come to another end."""
        changed = []
        for task_id, token in tokens(assessment).items():
            known = self._known.get(task_id)
            last = self._records.get(task_id)
            if known is None and last is not None and last.status == "skipped":
                # It has not come to its turn, and what kept it from that is another's to mend.
                self._known[task_id] = token
            elif known != token:
                changed.append(task_id)
            elif last is not None and last.status in ("passed", "cached"):
                task = assessment.request.pipeline.tasks[task_id]
                if task.service is None and not self._is_in_place(assessment, task):
                    changed.append(task_id)
        return changed

    def _is_in_place(self, assessment: Assessment, task: Task) -> bool:
        decision = assessment.decision(task.id)
        return decision is None or (decision.is_hit and decision.intact)

    def _learn(self, record: RunRecord, before: Mapping[TaskId, str]) -> None:
        """What the run says of the tasks, for the next look."""
        unsure = frozenset(
            warning.task
            for warning in record.warnings
            if warning.code == Code.INPUTS_CHANGED and warning.task is not None
        )
        is_out_of_time = record.status == "failed" and (record.reason or "").startswith(OUT_OF_TIME)
        self._known = {}
        for task in record.tasks:
            task_id = TaskId(task.id)
            self._records[task_id] = task
            _note(task, self._passed, self._failed, unsure)
            if task.status == "cancelled" and not is_out_of_time:
                # Whatever it is now, it has not come to its end under that.
                self._known[task_id] = "cancelled"
            elif task.key is not None:
                self._known[task_id] = full_token(task.key, self._found.code.get(task_id, ""))
            elif task_id in before and task.status != "skipped":
                # It failed before its key was known, and is not tried again as things were.
                self._known[task_id] = before[task_id]
                if task_id in self._request.pipeline.tasks:
                    self._found.forget(self._request.pipeline.tasks[task_id])

    def _folders(self, assessment: Assessment) -> list[str]:
        return folders(assessment, self._source.files)

    def _reload(self) -> None:
        request = self._source.reload()
        if request is not None:
            self._request = request

    async def _woken(self) -> None:
        """Comes back when it is worth looking again, or the watch is over."""
        await self._or_interrupted(self._wakes.wait())

    async def _pause(self, seconds: float) -> None:
        await self._or_interrupted(asyncio.sleep(seconds))

    async def _or_interrupted(self, waiting: Coroutine[object, object, None]) -> None:
        interrupted = asyncio.ensure_future(self._host.interrupt.event.wait())
        future = asyncio.ensure_future(waiting)
        try:
            await asyncio.wait((interrupted, future), return_when=asyncio.FIRST_COMPLETED)
            if future.done():
                future.result()
        finally:
            interrupted.cancel()
            future.cancel()

    def _tell(self, event: Event) -> None:
        try:
            for listener in self._services.listeners:
                listener(event)
        except BrokenPipeError:
            if not self._host.interrupt.requested:
                self._host.interrupt.begin(signal.SIGPIPE)

    def _tell_waiting(self) -> None:
        self._tell(
            WatchWaiting(
                at_ms=self._now_ms(),
                runs=self._runs,
                folders=self._wakes.folders,
                is_polling=self._wakes.is_polling,
            )
        )

    def _tell_error(self, error: PipecError) -> None:
        findings = getattr(error, "findings", None)
        messages = [finding.message for finding in findings] if findings else [error.message]
        for message in messages:
            self._tell(WarningRaised(at_ms=self._now_ms(), code=error.code, message=message))

    def _tell_service_end(self, service: RunningService) -> None:
        if service.failure is not None:
            self._tell(
                WarningRaised(
                    at_ms=self._now_ms(),
                    code=service.failure.code,
                    message=service.failure.message,
                    task=service.task.id,
                )
            )

    def _tell_polling(self, error: OSError | None) -> None:
        reason = "the limit `PIPEC_MAX_WATCHES` is reached"
        if error is not None:
            reason = why_not(error)
        message = f"changes cannot be listened to ({reason}): pipec looks for them every second"
        self._tell(WarningRaised(at_ms=self._now_ms(), code=Code.WATCH_POLLS, message=message))

    def _now_ms(self) -> int:
        return self._services.clock.now_ms()


def _note(
    task: TaskRecord,
    passed: dict[str, Mapping[str, str]],
    failed: dict[str, str],
    unsure: frozenset[str],
) -> None:
    """What became of a task, as the engine takes it."""
    if task.status not in ("passed", "failed", "cached", "cancelled") or task.key is None:
        return
    if task.status == "cached":
        failed.pop(task.id, None)
        return
    passed.pop(task.id, None)
    failed.pop(task.id, None)
    if task.status == "failed":
        failed[task.id] = task.key
    elif task.status == "passed" and task.service is None and task.id not in unsure:
        outputs = task.outputs.digest if task.outputs else None
        passed[task.id] = {"key": task.key, "outputs": outputs or ""}
