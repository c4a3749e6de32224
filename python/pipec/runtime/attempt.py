"""One try at a task: its steps in order, each in a process of its own, until one fails."""

import asyncio
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipec.codes import Code
from pipec.ir.step import ArgvStep, ShellStep
from pipec.ir.task import Task
from pipec.ports.executor import Command, Exit
from pipec.runtime import environment
from pipec.runtime.context import RunContext
from pipec.runtime.durations import spell_duration
from pipec.runtime.events import AttemptFinished, AttemptStarted, OutputChunk, StepStarted
from pipec.runtime.halt import Halt
from pipec.runtime.interruptible import Interruptible
from pipec.runtime.logs import TaskLog
from pipec.runtime.process import TIMED_OUT
from pipec.runtime.record import AttemptRecord, ErrorRecord, StepRecord, timestamp
from pipec.runtime.stores import SESSION_VARIABLE

_NOT_FOUND = 127
_NOT_EXECUTABLE = 126


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """How a try ended; no error: all steps succeeded."""

    record: AttemptRecord
    error: ErrorRecord | None


async def try_task(
    run: RunContext, task: Task, declared: Mapping[str, str], log: TaskLog, halt: Halt
) -> list[AttemptResult]:
    """Tries a task as often as it allows, until a try succeeds, or it or the run is to end."""
    results: list[AttemptResult] = []
    for number in range(1, task.retry.attempts + 1):
        result = await _Attempt(run, task, number, declared, log, halt=halt).make()
        results.append(result)
        is_last = result.error is None or number == task.retry.attempts
        is_last = is_last or run.interrupt.requested or halt.requested
        delay_ms = task.retry.delay_ms * task.retry.backoff ** (number - 1)
        run.recorder.emit(
            AttemptFinished(
                at_ms=run.recorder.clock.now_ms(),
                task=task.id,
                number=number,
                exit_code=result.record.exit_code,
                error=result.error.message if result.error else None,
                retry_in_ms=None if is_last else delay_ms,
            )
        )
        if is_last or await _ended_within(run, halt, delay_ms / 1000):
            break
    return results


async def _ended_within(run: RunContext, halt: Halt, seconds: float) -> bool:
    """Whether the run or the task is to end, after at most this long."""
    if seconds:
        events = [asyncio.ensure_future(e.wait()) for e in (run.interrupt.event, halt.event)]
        await asyncio.wait(events, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for event in events:
            event.cancel()
    return run.interrupt.requested or halt.requested


class _Attempt:
    def __init__(
        self,
        run: RunContext,
        task: Task,
        number: int,
        declared: Mapping[str, str],
        log: TaskLog,
        *,
        halt: Halt,
    ) -> None:
        self._run = run
        self._halt = halt
        self._task = task
        self._number = number
        self._log = log
        self._redactor = run.redaction.open_stream()
        self._steps: list[StepRecord] = []
        self._groups: set[int] = set()
        self._env = {
            **environment.host_part(task, run.request.host_env),
            SESSION_VARIABLE: run.session_store,
            **declared,
            **environment.facts(
                task,
                root=run.request.root,
                run_id=run.recorder.run_id,
                attempt=number,
                params=run.request.params,
            ),
        }

    async def make(self) -> AttemptResult:
        """Runs the steps, and ends what they left behind."""
        clock = self._run.recorder.clock
        started_ms, started = clock.now_ms(), clock.monotonic()
        self._run.recorder.emit(
            AttemptStarted(
                at_ms=started_ms,
                task=self._task.id,
                number=self._number,
                limit=self._task.retry.attempts,
            )
        )
        error = await self._run_steps()
        if self._groups:
            await self._run.processes.end_groups(frozenset(self._groups))
        last = self._steps[-1] if self._steps else None
        record = AttemptRecord(
            number=self._number,
            started_at=timestamp(started_ms),
            duration_ms=round((clock.monotonic() - started) * 1000),
            exit_code=last.exit_code if last else 0,
            signal=last.signal if last else None,
            timed_out=last.timed_out if last else False,
            steps=tuple(self._steps),
        )
        return AttemptResult(record=record, error=error)

    async def _run_steps(self) -> ErrorRecord | None:
        loop = asyncio.get_running_loop()
        limit_ms = self._task.timeout_ms
        deadline = None if limit_ms is None else loop.time() + limit_ms / 1000
        for index, step in enumerate(self._task.steps):
            if self._run.interrupt.requested:
                return self._run.error(Code.INTERRUPTED, "the run was interrupted")
            if self._halt.requested:
                return self._run.error(Code.INTERRUPTED, self._halt.reason)
            assert isinstance(step, (ShellStep, ArgvStep))
            left = None if deadline is None else max(0.0, deadline - loop.time())
            error = await self._run_step(index, step, left)
            if error is not None:
                return error
        return None

    async def _run_step(
        self, index: int, step: ShellStep | ArgvStep, left_s: float | None
    ) -> ErrorRecord | None:
        run, clock = self._run, self._run.recorder.clock
        text = command_text(step)
        started_ms = clock.now_ms()
        run.recorder.emit(
            StepStarted(
                at_ms=started_ms, task=self._task.id, index=index, command=run.redaction.text(text)
            )
        )
        declared = run.engine.environment(self._task.id, index) if step.env else ()
        command = Command(
            argv=self._argv(step),
            cwd=self._folder(step),
            env={**self._env, **{name: value for name, value, _ in declared}},
        )
        limits = [step.timeout_ms / 1000] if step.timeout_ms is not None else []
        limits += [left_s] if left_s is not None else []
        try:
            ended = await self._start(command, min(limits, default=None))
            error = self._judge(step, text, ended)
        except (OSError, ValueError) as trouble:
            ended, error = self._not_started(command, text, trouble)
        if ended.group is not None:
            self._groups.add(ended.group)
        self._steps.append(
            StepRecord(
                command=run.redaction.text(text),
                started_at=timestamp(started_ms),
                duration_ms=ended.duration_ms,
                exit_code=ended.code,
                signal=ended.signal,
                timed_out=ended.timed_out,
            )
        )
        return error

    async def _start(self, command: Command, timeout_s: float | None) -> Exit:
        if self._task.interactive:
            with self._run.recorder.aside():
                return await self._run.processes.run_with_terminal(command, timeout_s=timeout_s)
        try:
            return await self._run_to_its_end(command, timeout_s)
        finally:
            if self._redactor is not None:
                self._pass_on(self._redactor.finish())

    async def _run_to_its_end(self, command: Command, timeout_s: float | None) -> Exit:
        run, halt = self._run, self._halt.event
        if run.executor is run.processes:
            return await run.processes.run(command, self._take, timeout_s=timeout_s, halt=halt)
        executor = Interruptible(run.executor, halt)
        return await executor.run(command, self._take, timeout_s=timeout_s)

    def _argv(self, step: ShellStep | ArgvStep) -> tuple[str, ...]:
        if isinstance(step, ArgvStep):
            return step.argv
        return (*(step.shell or self._task.shell), step.command)

    def _folder(self, step: ShellStep | ArgvStep) -> str:
        return os.path.normpath(os.path.join(self._run.request.root, step.cwd or self._task.cwd))

    def _take(self, data: bytes) -> None:
        self._pass_on(data if self._redactor is None else self._redactor.feed(data))

    def _pass_on(self, data: bytes) -> None:
        if data:
            self._log.write(data)
            at_ms = self._run.recorder.clock.now_ms()
            self._run.recorder.emit(OutputChunk(at_ms=at_ms, task=self._task.id, data=data))

    def _not_started(
        self, command: Command, text: str, trouble: OSError | ValueError
    ) -> tuple[Exit, ErrorRecord]:
        code = _NOT_EXECUTABLE if isinstance(trouble, PermissionError) else _NOT_FOUND
        reason = trouble.strerror if isinstance(trouble, OSError) else str(trouble)
        if not os.path.isdir(command.cwd):
            folder = os.path.relpath(command.cwd, self._run.request.root)
            reason = f"there is no folder `{folder}` to run it in"
        message = f"{quote_command(text)} cannot be started: {reason}"
        return Exit(code=code, duration_ms=0), self._run.error(Code.STEP_NOT_STARTED, message)

    def _judge(self, step: ShellStep | ArgvStep, text: str, ended: Exit) -> ErrorRecord | None:
        command = quote_command(text)
        if ended.timed_out:
            assert ended.code == TIMED_OUT
            limit_ms, whose = _limit(step, self._task)
            message = f"{command} was ended: {whose} may take {spell_duration(limit_ms)}"
            return self._run.error(Code.TIMED_OUT, message)
        if ended.signal is not None:
            message = f"{command} was ended by {ended.signal} (exit status {ended.code})"
            return self._run.error(Code.STEP_FAILED, message)
        if ended.code:
            message = f"{command} ended with exit status {ended.code}"
            return self._run.error(Code.STEP_FAILED, message)
        return None


def command_text(step: ShellStep | ArgvStep) -> str:
    """The command as a person would type it."""
    return step.command if isinstance(step, ShellStep) else shlex.join(step.argv)


def quote_command(text: str) -> str:
    """A command inside a message: its first line."""
    lines: Sequence[str] = text.strip().splitlines() or [""]
    return f"`{lines[0]}`" if len(lines) == 1 else f"`{lines[0]} …`"


def _limit(step: ShellStep | ArgvStep, task: Task) -> tuple[int, str]:
    if step.timeout_ms is not None and step.timeout_ms <= (task.timeout_ms or step.timeout_ms):
        return step.timeout_ms, "the step"
    assert task.timeout_ms is not None
    return task.timeout_ms, "the task"
