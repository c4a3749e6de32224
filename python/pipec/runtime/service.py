"""One service of a run: started, watched until it is ready, started again by policy, ended."""

import asyncio
import os
from collections.abc import Callable
from typing import Literal

from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.step import ArgvStep, ShellStep, step_text
from pipec.ir.task import Task
from pipec.ports.executor import Command, Exit
from pipec.runtime import environment
from pipec.runtime.context import RunContext
from pipec.runtime.durations import spell_duration
from pipec.runtime.events import (
    OutputChunk,
    ServiceReady,
    ServiceRestarted,
    ServiceStarted,
    ServiceStopped,
    TaskStarted,
)
from pipec.runtime.listeners import describe_listener, takes_connections
from pipec.runtime.logs import TaskLog, log_name
from pipec.runtime.readiness import Readiness, open_readiness, own_port
from pipec.runtime.ready import check_service
from pipec.runtime.record import (
    AttemptRecord,
    ErrorRecord,
    ServiceRecord,
    StepRecord,
    TaskRecord,
    TaskStatus,
    VerdictRecord,
    timestamp,
)
from pipec.runtime.recorder import Recorder
from pipec.runtime.records import LOGS
from pipec.runtime.refusal import describe_refusal
from pipec.runtime.requirements import check_requirements
from pipec.runtime.stores import SESSION_VARIABLE

SERVICE = VerdictRecord(kind="service")
STAYS = VerdictRecord(kind="service", detail="stays up")

State = Literal["starting", "ready", "over"]


class RunningService:
    """A service from its start to its end.

    `stays`: it was asked for by name. `on_end` is told when it is over without having been
    stopped; `failure` says what happened then.
    """

    def __init__(
        self,
        run: RunContext,
        task: Task,
        *,
        key: str | None,
        stays: bool,
        on_end: Callable[[], None],
    ) -> None:
        assert task.service is not None
        self.task = task
        self.key = key
        self.failure: ErrorRecord | None = None
        self.on_end = on_end
        self._run = run
        self._settings = task.service
        self._stays = stays
        self._state: State = "starting"
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._stop_reason = ""
        self._attempts: list[AttemptRecord] = []
        self._restarts = 0
        self._ready_after_ms: int | None = None
        clock = run.recorder.clock
        self._started_ms, self._started = clock.now_ms(), clock.monotonic()
        self._log_name = f"{LOGS}/{log_name(task.id)}"
        self._has_log = True
        self._redactor = run.redaction.open_stream()
        self._readiness: Readiness | None = None
        path = run.recorder.log_path(self._log_name)
        self._log = TaskLog(path, limit=run.request.max_log_bytes, on_trouble=self._warn_of_log)
        self._life = asyncio.ensure_future(self._live())

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self._state == "over"

    @property
    def is_starting(self) -> bool:
        """Whether it is not ready yet."""
        return self._state == "starting"

    async def wait_until_ready(self) -> bool:
        """Whether it is ready now; False if it is over."""
        while self._state == "starting":
            await self._changed.wait()
        return self._state == "ready"

    async def wait_until_over(self) -> None:
        """Comes back when it has ended for good."""
        await asyncio.shield(self._life)

    async def stop(self, reason: str) -> None:
        """Ends it, if it has not ended."""
        self._stop_reason = self._stop_reason or reason
        self._stop.set()
        await asyncio.shield(self._life)

    def stays_up(self, recorder: Recorder) -> None:
        """Another run goes on with it: its log belongs to the record of that one as well."""
        self._has_log = self._log.continue_at(recorder.log_path(self._log_name))

    def record(self) -> TaskRecord:
        """How it ended, or how it stands."""
        clock = self._run.recorder.clock
        status: TaskStatus = "passed"
        reason = None
        if self.failure is not None:
            status = "failed"
        elif self._was_interrupted:
            status, reason = "cancelled", "interrupted"
        return TaskRecord(
            id=self.task.id,
            status=status,
            verdict=SERVICE if self.is_over else STAYS,
            key=self.key,
            attempts=tuple(self._attempts),
            started_at=timestamp(self._started_ms),
            duration_ms=round((clock.monotonic() - self._started) * 1000),
            log=self._log_name if self._log.is_begun and self._has_log else None,
            reason=reason,
            error=self.failure,
            service=ServiceRecord(restarts=self._restarts, ready_after_ms=self._ready_after_ms),
        )

    async def _live(self) -> None:
        run, task = self._run, self.task
        run.recorder.set_running(task.id)
        at_ms = run.recorder.clock.now_ms()
        run.recorder.emit(TaskStarted(at_ms=at_ms, task=task.id, verdict=SERVICE, key=self.key))
        try:
            check_service(run.request, task)
            await self._start_and_start_again()
        except RunError as trouble:
            self.failure = run.error(trouble.code, trouble.message)
        finally:
            self._log.close()
            self._turn("over")
        reason = self._stop_reason or "ended"
        if self.failure is not None:
            reason = self.failure.message
        elif self._was_interrupted:
            reason = "interrupted"
        at_ms = run.recorder.clock.now_ms()
        run.recorder.emit(ServiceStopped(at_ms=at_ms, task=task.id, reason=reason))
        self.on_end()

    async def _start_and_start_again(self) -> None:
        run = self._run
        while True:
            ended, trouble = await self._live_once()
            if self._is_to_end:
                return
            said = run.redaction.text(trouble or f"it ended with {_describe_exit(ended)}")
            if not self._may_start_again(ended, is_failure=bool(trouble)):
                raise self._failed(said)
            self._restarts += 1
            self._turn("starting")
            self._tell_restart(said)
            if await self._ended_within(self._settings.restart_delay_ms / 1000):
                return

    async def _live_once(self) -> tuple[Exit | None, str]:
        """Starts its process and waits for its end: how it ended, and what else went wrong.

        Raises:
            RunError: it cannot be started at all, or its port is taken.
        """
        run, clock = self._run, self._run.recorder.clock
        command = self._command()
        await self._refuse_taken_port()
        started_ms, started = clock.now_ms(), clock.monotonic()
        self._readiness = open_readiness(
            self._settings.ready, run.processes, self._check_command, task=self.task.id
        )
        number = len(self._attempts) + 1
        run.recorder.emit(
            ServiceStarted(at_ms=started_ms, task=self.task.id, number=number, stays=self._stays)
        )
        halt = asyncio.Event()
        process = asyncio.ensure_future(
            run.processes.run(
                command, self._take, task=self.task.id, halt=halt, grace_s=self._grace_s
            )
        )
        trouble = ""
        try:
            trouble = await self._watch(process, started)
            is_ended_by_us = not process.done()
            halt.set()
            ended = await process
        except (OSError, ValueError) as error:
            text = step_text(self._step)
            message = f"`{text}` cannot be started: {describe_refusal(str(error))}"
            raise RunError(Code.STEP_NOT_STARTED, message) from error
        finally:
            halt.set()
            if self._redactor is not None:
                self._pass_on(self._redactor.finish())
        if ended.group is not None:
            await run.processes.end_groups(frozenset({ended.group}))
        if is_ended_by_us:
            # Nobody has time for what it started and hid from its group.
            await run.processes.end_survivors(self.task.id)
        self._note(number, started_ms, ended)
        return ended, trouble

    async def _watch(self, process: "asyncio.Future[Exit]", started: float) -> str:
        """Follows the process until it ends or has to; what is wrong with it, if anything is."""
        assert self._readiness is not None
        stop = asyncio.ensure_future(self._stop.wait())
        ready = asyncio.ensure_future(self._readiness.wait())
        limit_ms = self._settings.ready_timeout_ms
        try:
            await asyncio.wait(
                (process, stop, ready),
                timeout=limit_ms / 1000,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if process.done() or stop.done():
                return ""
            if not ready.done():
                answer = self._readiness.last_answer()
                because = f": {answer}" if answer else ""
                return f"it was not ready within {spell_duration(limit_ms)}{because}"
            ready.result()
            self._tell_ready(started)
            await asyncio.wait((process, stop), return_when=asyncio.FIRST_COMPLETED)
            return ""
        finally:
            stop.cancel()
            ready.cancel()
            await asyncio.gather(stop, ready, return_exceptions=True)

    async def _refuse_taken_port(self) -> None:
        port = own_port(self._settings.ready)
        if port is None or not await takes_connections(port):
            return
        holder = await asyncio.to_thread(describe_listener, port)
        by = f" by {holder}" if holder else ""
        raise RunError(
            Code.PORT_IN_USE,
            f"port {port} is in use already{by}: the service `{self.task.id}` was not started",
        )

    @property
    def _is_to_end(self) -> bool:
        return self._stop.is_set() or self._run.interrupt.requested

    @property
    def _was_interrupted(self) -> bool:
        """Whether it was not its own time to end when the run ended."""
        return self._run.interrupt.requested and not self._stop_reason

    @property
    def _grace_s(self) -> float | None:
        return self._settings.grace_ms / 1000 if self._settings.grace_ms else None

    @property
    def _step(self) -> ShellStep | ArgvStep:
        (step,) = self.task.steps
        assert isinstance(step, (ShellStep, ArgvStep))
        return step

    def _may_start_again(self, ended: Exit | None, *, is_failure: bool) -> bool:
        settings = self._settings
        if self._restarts >= settings.max_restarts or settings.restart == "never":
            return False
        has_failed = is_failure or ended is None or ended.code != 0
        return settings.restart == "always" or has_failed

    def _failed(self, said: str) -> RunError:
        """What the run says of it; the end of what the service said is shown with its log."""
        was_ready = self._ready_after_ms is not None
        times = f" {self._restarts + 1} times" if self._restarts else ""
        code = Code.SERVICE_ENDED if was_ready else Code.SERVICE_NOT_READY
        about = "ended while it was needed" if was_ready else "did not become ready"
        return RunError(code, f"the service `{self.task.id}` {about}{times}: {said}")

    def _tell_ready(self, started: float) -> None:
        clock = self._run.recorder.clock
        after_ms = round((clock.monotonic() - started) * 1000)
        if self._ready_after_ms is None:
            self._ready_after_ms = round((clock.monotonic() - self._started) * 1000)
        self._run.recorder.emit(
            ServiceReady(at_ms=clock.now_ms(), task=self.task.id, after_ms=after_ms)
        )
        self._turn("ready")

    def _tell_restart(self, said: str) -> None:
        limit = self._settings.max_restarts
        self._log.write(f"[pipec: started again, {said}]\n".encode())
        self._run.recorder.emit(
            ServiceRestarted(
                at_ms=self._run.recorder.clock.now_ms(),
                task=self.task.id,
                number=self._restarts,
                limit=limit,
                reason=said,
            )
        )

    async def _ended_within(self, seconds: float) -> bool:
        """Whether the service is to end, after at most this long."""
        stop = asyncio.ensure_future(self._stop.wait())
        interrupted = asyncio.ensure_future(self._run.interrupt.event.wait())
        await asyncio.wait(
            (stop, interrupted), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        stop.cancel()
        interrupted.cancel()
        return self._is_to_end

    def _turn(self, state: State) -> None:
        self._state = state
        self._changed.set()
        self._changed = asyncio.Event()

    def _command(self) -> Command:
        """What to start.

        Raises:
            RunError: a tool that it requires is not there.
        """
        run, task, step = self._run, self.task, self._step
        folder = os.path.normpath(os.path.join(run.request.root, step.cwd or task.cwd))
        env = self._env()
        check_requirements(task, env, f"{run.request.root}/{task.cwd}")
        try:
            run.reaper.start()
        except OSError as error:
            message = f"no process can be started: {error.strerror}"
            raise RunError(Code.STEP_NOT_STARTED, message) from error
        if isinstance(step, ArgvStep):
            return Command(argv=step.argv, cwd=folder, env=env)
        return Command(argv=(*(step.shell or task.shell), step.command), cwd=folder, env=env)

    def _check_command(self, command: str) -> Command:
        task = self.task
        folder = os.path.normpath(os.path.join(self._run.request.root, task.cwd))
        return Command(argv=(*task.shell, command), cwd=folder, env=self._env())

    def _env(self) -> dict[str, str]:
        run, task = self._run, self.task
        values = run.engine.environment(task.id)
        if self._step.env:
            values += run.engine.environment(task.id, 0)
        declared = {name: value for name, value, _ in values}
        return {
            **environment.host_part(task, run.request.host_env),
            SESSION_VARIABLE: run.session_store,
            **declared,
            **environment.facts(
                task,
                root=run.request.root,
                run_id=run.reaper.run_id,
                attempt=len(self._attempts) + 1,
                params=run.request.params,
            ),
        }

    def _take(self, data: bytes) -> None:
        if self._readiness is not None:
            self._readiness.take(data)
        self._pass_on(data if self._redactor is None else self._redactor.feed(data))

    def _pass_on(self, data: bytes) -> None:
        if data:
            self._log.write(data)
            at_ms = self._run.recorder.clock.now_ms()
            self._run.recorder.emit(OutputChunk(at_ms=at_ms, task=self.task.id, data=data))

    def _note(self, number: int, started_ms: int, ended: Exit) -> None:
        facts = {
            "started_at": timestamp(started_ms),
            "duration_ms": ended.duration_ms,
            "exit_code": ended.code,
            "signal": ended.signal,
        }
        command = self._run.redaction.text(step_text(self._step))
        step = StepRecord(command=command, **facts)  # type: ignore[arg-type]
        self._attempts.append(AttemptRecord(number=number, steps=(step,), **facts))  # type: ignore[arg-type]

    def _warn_of_log(self, error: OSError) -> None:
        if not self._run.recorder.is_unwritable:
            message = f"the log is incomplete: {error.strerror}"
            self._run.warn(Code.STATE_UNWRITABLE, message, task=self.task.id)


def _describe_exit(ended: Exit | None) -> str:
    assert ended is not None
    return ended.signal or f"exit status {ended.code}"
