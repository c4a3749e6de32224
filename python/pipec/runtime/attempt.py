"""One try at a task: its steps in order, each in a process of its own, until one fails."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipec.codes import Code
from pipec.ir.step import AgentStep, PythonStep, step_text
from pipec.ir.task import Task
from pipec.runtime.command_step import replace_command, run_command
from pipec.runtime.context import RunContext
from pipec.runtime.events import AttemptFinished, AttemptStarted, StepStarted
from pipec.runtime.halt import Halt
from pipec.runtime.output import TaskOutput
from pipec.runtime.ready import ReadyStep
from pipec.runtime.record import AttemptRecord, ErrorRecord, StepRecord, timestamp
from pipec.runtime.step import StepEnd, Surroundings

if TYPE_CHECKING:
    from pipec.runtime.policy.kept import OutputHead


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """How a try ended; no error: all steps succeeded."""

    record: AttemptRecord
    error: ErrorRecord | None
    metadata: Mapping[str, Any]


async def try_task(
    run: RunContext,
    task: Task,
    steps: Sequence[ReadyStep],
    declared: Mapping[str, str],
    output: TaskOutput,
    *,
    halt: Halt,
) -> list[AttemptResult]:
    """Tries a task as often as it allows, until a try succeeds, or it or the run is to end."""
    results: list[AttemptResult] = []
    for number in range(1, task.retry.attempts + 1):
        result = await _Attempt(run, task, steps, declared, output, number=number, halt=halt).make()
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
        steps: Sequence[ReadyStep],
        declared: Mapping[str, str],
        output: TaskOutput,
        *,
        number: int,
        halt: Halt,
    ) -> None:
        self._run = run
        self._halt = halt
        self._task = task
        self._ready = steps
        self._number = number
        self._output = output
        self._steps: list[StepRecord] = []
        self._metadata: dict[str, Any] = {}
        self._groups: set[int] = set()
        self._env = run.environment_of(task, declared, attempt=number)

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
        return AttemptResult(record=record, error=error, metadata=self._metadata)

    async def _run_steps(self) -> ErrorRecord | None:
        loop = asyncio.get_running_loop()
        limit_ms = self._task.timeout_ms
        deadline = None if limit_ms is None else loop.time() + limit_ms / 1000
        for position, ready in enumerate(self._ready):
            if self._run.interrupt.requested:
                return self._run.error(Code.INTERRUPTED, "the run was interrupted")
            if self._halt.requested:
                return self._run.error(Code.INTERRUPTED, self._halt.reason)
            left = None if deadline is None else max(0.0, deadline - loop.time())
            error = await self._run_step(position, ready, left)
            if error is not None:
                return error
        return None

    async def _run_step(
        self, position: int, ready: ReadyStep, left_s: float | None
    ) -> ErrorRecord | None:
        run, clock = self._run, self._run.recorder.clock
        text = run.redaction.text(step_text(ready.step))
        started_ms = clock.now_ms()
        run.recorder.emit(
            StepStarted(at_ms=started_ms, task=self._task.id, index=position, command=text)
        )
        around = self._surroundings(position, ready, left_s)
        kept = _Kept(run, ready)
        ended = await _start(kept.listen(around), ready)
        if ended.exit.group is not None:
            self._groups.add(ended.exit.group)
        if ended.exit.timed_out or around.halt.is_set():
            # Nobody has time for what it started and hid from its group.
            await run.processes.end_survivors(self._task.id)
        self._metadata.update(ended.metadata)
        record = StepRecord(
            command=text,
            started_at=timestamp(started_ms),
            duration_ms=ended.exit.duration_ms,
            exit_code=ended.exit.code,
            signal=ended.exit.signal,
            timed_out=ended.exit.timed_out,
        )
        self._steps.append(kept.keep(around, record))
        return ended.error

    def _surroundings(self, position: int, ready: ReadyStep, left_s: float | None) -> Surroundings:
        run, task, step = self._run, self._task, ready.step
        env = dict(self._env)
        if getattr(step, "env", None):
            env |= {name: value for name, value, _ in run.engine.environment(task.id, ready.number)}
        limits = [step.timeout_ms / 1000] if step.timeout_ms is not None else []
        limits += [left_s] if left_s is not None else []
        folder = getattr(step, "cwd", "") or task.cwd
        return Surroundings(
            run=run,
            task=task,
            attempt=self._number,
            position=position,
            env={**env, **ready.env},
            cwd=os.path.normpath(os.path.join(run.request.root, folder)),
            output=self._output,
            timeout_s=min(limits, default=None),
            halt=self._halt.event,
        )


async def _start(around: Surroundings, ready: ReadyStep) -> StepEnd:
    """Each kind is imported only where there is a step of it."""
    step = ready.step
    if ready.ruling is not None and ready.ruling.mock is not None:
        return replace_command(around, step, ready.ruling.mock)
    if isinstance(step, PythonStep):
        from pipec.runtime.call_step import run_call

        return await run_call(around, step)
    if isinstance(step, AgentStep):
        from pipec.runtime.agent_step import run_agent

        assert ready.agent is not None
        return await run_agent(around, step, ready.agent)
    return await run_command(around, step)


class _Kept:
    """What the policy wants to be kept of a step; nothing where there is none."""

    def __init__(self, run: RunContext, ready: ReadyStep) -> None:
        self._ruling = ready.ruling if run.request.pipeline.commands.record else None
        self._head: OutputHead | None = None

    def listen(self, around: Surroundings) -> Surroundings:
        if self._ruling is None:
            return around
        from pipec.runtime.policy.kept import OutputHead

        self._head = OutputHead(around.run.request.pipeline.commands)
        return replace(around, output=self._head.tap(around.output))

    def keep(self, around: Surroundings, record: StepRecord) -> StepRecord:
        if self._ruling is None or self._head is None:
            return record
        from pipec.runtime.policy.kept import keep_command, policy_record

        record = replace(record, policy=policy_record(self._ruling))
        keep_command(
            around.run, around.task.id, around.attempt, record, cwd=around.cwd, head=self._head
        )
        return record
