"""Runs the tasks of a plan on one event loop: as many at once as allowed, none before its time."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.task import Task, TaskId
from pipec.runtime import environment
from pipec.runtime.command_values import CommandValues
from pipec.runtime.context import RunContext
from pipec.runtime.decision import Decision
from pipec.runtime.durations import spell_duration
from pipec.runtime.events import TaskReady
from pipec.runtime.far_store import FarStore
from pipec.runtime.groups import Groups
from pipec.runtime.host import Host
from pipec.runtime.inputs import FileValues
from pipec.runtime.interrupt import Interrupt
from pipec.runtime.interruptible import Interruptible
from pipec.runtime.live import LiveRun
from pipec.runtime.outcome import skipped_record
from pipec.runtime.perform import decide, perform
from pipec.runtime.platforms import runs_here
from pipec.runtime.process import Processes
from pipec.runtime.reaper import Reaper
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.recorder import Recorder
from pipec.runtime.redaction import Redaction
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.schedule import Ending, Schedule
from pipec.runtime.service import SERVICE
from pipec.runtime.stores import planned, scratch_folders, session_folder
from pipec.runtime.upkeep import Upkeep

if TYPE_CHECKING:
    from pipec import _core

INTERNAL_ERROR = 2


class Work(Protocol):
    """What there is to execute."""

    @property
    def request(self) -> RunRequest: ...
    @property
    def engine(self) -> "_core.Engine": ...
    @property
    def file_values(self) -> FileValues: ...
    @property
    def redaction(self) -> Redaction: ...
    @property
    def services(self) -> Services: ...
    def foreseen(self, task: TaskId) -> Decision | None:
        """What was decided about the task before anything ran, if it can be relied on."""

    def save(self, warn: Callable[[Code, str], None]) -> None:
        """Keeps what was learnt for the next run."""


def execute(work: Work, recorder: Recorder) -> RunRecord:
    """Executes the plan and closes its record."""
    with asyncio.Runner(loop_factory=work.services.open_loop) as runner:
        return runner.run(execute_within(work, recorder, host=None))


async def drive(
    schedule: Schedule,
    start: Callable[[TaskId], Awaitable[Ending]],
    *,
    on_ready: Callable[[TaskId], None],
    stop: asyncio.Event,
    reason: Callable[[], str] = lambda: "interrupted",
) -> None:
    """Starts tasks in the order of the schedule; once `stop` is set, only waits for the running.

    `start` gives how the task ended. `reason`: why those that never start do not, after `stop`.
    """
    running: dict[asyncio.Future[Ending], TaskId] = {}
    stopping: asyncio.Future[Ending] = asyncio.ensure_future(_cancelled_with(stop))
    try:
        while True:
            for task in schedule.take_ready():
                on_ready(task)
            while (task_id := schedule.start_next()) is not None:
                running[asyncio.ensure_future(start(task_id))] = task_id
            if not running:
                return
            waiting = {*running, stopping} if not stopping.done() else {*running}
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                schedule.stop(reason())
            # In the order in which they started, so that equal runs have equal records.
            for future in [future for future in running if future in done]:
                schedule.finish(running.pop(future), future.result())
    finally:
        stopping.cancel()
        for future in running:
            future.cancel()
        await asyncio.gather(stopping, *running, return_exceptions=True)


async def _cancelled_with(stop: asyncio.Event) -> Ending:
    await stop.wait()
    return "cancelled"


async def execute_within(work: Work, recorder: Recorder, *, host: Host | None) -> RunRecord:
    """Executes the plan and closes its record, on a loop that runs already.

    With a `host` the run is one of several: that one listens to signals and keeps the services.
    """
    request = work.request
    session_store = session_folder(request)
    reaper = Reaper(recorder.run_id, request.host_env, folders=scratch_folders())
    groups = Groups(reaper)
    grace_s = request.kill_grace_ms / 1000

    def tell(code: Code, cause: str) -> None:
        kills = "a signal" if code is Code.TIMED_OUT else "a second signal"
        recorder.warn(code, f"{cause}: the tasks are asked to end, {kills} kills them")

    if host is None:
        interrupt = Interrupt(
            groups, kill_grace_s=grace_s, on_begin=tell, before_leaving=recorder.step_aside
        )
    else:
        interrupt = host.interrupt
        interrupt.on_begin = tell
        interrupt.join(groups)
    processes = Processes(groups, recorder.clock, kill_grace_s=grace_s)
    run = RunContext(
        request=request,
        recorder=recorder,
        engine=work.engine,
        redaction=work.redaction,
        processes=processes,
        executor=(
            Interruptible(work.services.executor, interrupt.event)
            if work.services.executor is not None
            else processes
        ),
        reaper=reaper,
        interrupt=interrupt,
        file_values=work.file_values,
        command_values=CommandValues(
            processes,
            root=request.root,
            env=_command_env(work, recorder),
            before_start=reaper.start,
        ),
        session_store=session_store,
        far=_open_far_store(work, recorder),
        agent=work.services.agent,
    )
    recorder.on_closed_output = lambda: interrupt.begin(signal.SIGPIPE)
    if recorder.output_is_closed:
        interrupt.begin(signal.SIGPIPE)
    if work.services.handle_signals and host is None:
        interrupt.install(on_continue=recorder.lost_the_screen)
    if work.services.stop is not None and host is None:
        loop = asyncio.get_running_loop()
        work.services.stop.attach(lambda: loop.call_soon_threadsafe(interrupt.begin, signal.SIGINT))
    if request.timeout_ms is not None and host is None:
        limit = spell_duration(request.timeout_ms)
        left_s = request.timeout_ms / 1000 - recorder.elapsed_ms() / 1000
        interrupt.begin_after(left_s, f"{request.time_limit} may take {limit}")
    drawing = asyncio.ensure_future(_draw(recorder))
    try:
        await _work_off(run, work, host)
        if interrupt.requested:
            await processes.end_survivors()
        work.save(recorder.warn)
        _raise_what_broke(drawing)
        return _close(run, None if host is None else host.live)
    except BaseException:
        groups.signal_all(signal.SIGKILL)
        recorder.finish("failed", INTERNAL_ERROR, reason="internal error")
        raise
    finally:
        drawing.cancel()
        reaper.stop()
        if host is not None:
            interrupt.part(groups)
        else:
            interrupt.uninstall()
        if work.services.stop is not None and host is None:
            work.services.stop.detach()


async def _draw(recorder: Recorder) -> None:
    """Shows what runs now, for as long as there is somebody to show it to."""
    while (left := recorder.beat()) is not None:  # noqa: ASYNC110 - a picture a time, no condition
        await asyncio.sleep(left)


def _raise_what_broke(drawing: "asyncio.Future[None]") -> None:
    """What is wrong with the display must not be passed over."""
    if drawing.done():
        drawing.result()


async def _work_off(run: RunContext, work: Work, host: Host | None) -> None:
    tasks = list(planned(run.request))
    durations = run.engine.durations()
    run.recorder.expect((task.id, durations.get(task.id) if task.steps else 0) for task in tasks)
    schedule = Schedule(
        tasks,
        concurrency=run.request.concurrency,
        pools=run.request.pipeline.pools,
        weights=_expected_lengths(run, durations),
        continue_mode=run.request.continue_mode,
    )

    def settle(record: TaskRecord) -> None:
        run.recorder.settle(record)
        run.recorder.save()

    upkeep = Upkeep(run, settle, host)
    if host is not None:
        host.live = LiveRun(schedule, upkeep, run.recorder, run.found)

    async def start(task_id: TaskId) -> Ending:
        task = run.request.pipeline.tasks[task_id]
        if task.service is not None and runs_here(task, run.request.platform):
            try:
                is_up = await _prepare_service(run, upkeep, work, task)
            except RunError as trouble:
                error = run.error(trouble.code, trouble.message)
                upkeep.skip(TaskRecord(id=task_id, status="failed", verdict=SERVICE, error=error))
                is_up = False
            if not is_up and not run.interrupt.requested:
                return "failed"
            return "done" if is_up else "cancelled"
        record = await perform(run, upkeep, task, work.foreseen(task_id))
        lost = upkeep.failed_for(task_id) if record.status == "skipped" else None
        settle(record)
        upkeep.ended(task_id)
        if record.status == "cancelled":
            return "cancelled"
        if lost is not None:
            if run.request.continue_mode == "never":
                schedule.stop(f"stopped after failure of {lost}")
            return "failed"
        if _is_failure(record):
            return "failed"
        return "done"

    def tell_ready(task_id: TaskId) -> None:
        at_ms = run.recorder.clock.now_ms()
        run.recorder.emit(TaskReady(at_ms=at_ms, task=task_id))

    timer = _bound_cycle(run, host)
    try:
        await upkeep.open()
        await drive(
            schedule,
            start,
            on_ready=tell_ready,
            stop=run.interrupt.event,
            reason=lambda: run.interrupt.task_reason,
        )
        if not schedule.is_stopped:
            await upkeep.stay()
        for task_id, reason in schedule.never_started():
            upkeep.skip(skipped_record(task_id, reason))
    finally:
        if timer is not None:
            timer.cancel()
        await upkeep.close()


def _bound_cycle(run: RunContext, host: Host | None) -> asyncio.TimerHandle | None:
    """Within a watch, a run that is out of time ends, and the watch goes on."""
    request = run.request
    if host is None or host.live is None or request.timeout_ms is None:
        return None
    limit = f"{request.time_limit} may take {spell_duration(request.timeout_ms)}"
    left_ms = request.timeout_ms - run.recorder.elapsed_ms()
    loop = asyncio.get_running_loop()
    return loop.call_later(max(0, left_ms) / 1000, host.live.run_out, limit)


async def _prepare_service(run: RunContext, upkeep: Upkeep, work: Work, task: Task) -> bool:
    """Decides a service, and starts it if it is sure to be needed; False if it cannot be started.

    A service that nobody may need waits for the first task that does.
    """
    decision = work.foreseen(task.id)
    if decision is None:
        decision = await decide(run, task)
    await upkeep.decided(task.id, decision.key)
    foreseen = (work.foreseen(dependent) for dependent in upkeep.dependents(task.id))
    is_needed = any(known is not None and not known.is_hit for known in foreseen)
    if is_needed or upkeep.is_asked_for(task.id):
        return await upkeep.bring_up(task.id)
    return True


def _close(run: RunContext, live: LiveRun | None) -> RunRecord:
    if run.interrupt.requested:
        return run.recorder.finish(
            run.interrupt.status, run.interrupt.exit_code, reason=run.interrupt.reason
        )
    if live is not None and live.limit:
        return run.recorder.finish("failed", 1, reason=live.reason)
    if any(map(_is_failure, run.recorder.tasks())):
        return run.recorder.finish("failed", 1)
    if live is not None and live.is_stale:
        return run.recorder.finish("interrupted", 1, reason=live.reason)
    return run.recorder.finish("passed", 0)


def _open_far_store(work: Work, recorder: Recorder) -> FarStore | None:
    def warn(code: Code, message: str, task: str) -> None:
        recorder.warn(code, work.redaction.text(message), task=task)

    store = work.services.store
    return None if store is None else FarStore(store, work.engine, warn)


def _is_failure(record: TaskRecord) -> bool:
    return record.status == "failed" and not record.may_fail


def _command_env(work: Work, recorder: Recorder) -> dict[str, str]:
    """What input commands see: they belong to no task, so they get what any task gets."""
    nobody = Task(id=TaskId(""))
    return {
        **environment.host_part(nobody, work.request.host_env),
        "PIPEC_ROOT": work.request.root,
        "PIPEC_RUN_ID": recorder.run_id,
    }


def _expected_lengths(run: RunContext, known: Mapping[str, int]) -> dict[TaskId, int]:
    """How long each task took when it last ran; the middle one of these for a task that is new."""
    if not known:
        return {}
    middle = sorted(known.values())[len(known) // 2]
    return {task: known.get(task, middle) for task in run.request.plan.tasks}
