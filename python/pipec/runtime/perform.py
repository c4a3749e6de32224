"""One task of a run, from looking at its inputs to its final state."""

import asyncio
import dataclasses
import errno
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from pipec import _core
from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.inputs import CommandInput, FileValueInput
from pipec.ir.step import PythonStep
from pipec.ir.task import Task
from pipec.runtime import environment
from pipec.runtime.assess import REFUSALS, file_label, findings_of
from pipec.runtime.attempt import AttemptResult, try_task
from pipec.runtime.context import RunContext
from pipec.runtime.decision import Decision, read_decision
from pipec.runtime.events import OutputChunk, TaskStarted
from pipec.runtime.halt import Halt
from pipec.runtime.inputs import Extra
from pipec.runtime.logs import TaskLog, log_name
from pipec.runtime.outcome import cached_record, group_record, platform_reason, skipped_record
from pipec.runtime.output import TaskOutput
from pipec.runtime.platforms import runs_here
from pipec.runtime.ready import (
    ReadyStep,
    code_values,
    dynamic_steps,
    is_plain,
    key_values,
    mocked_value,
    ready_steps,
)
from pipec.runtime.record import (
    ErrorRecord,
    OutputsRecord,
    TaskRecord,
    TaskStatus,
    VerdictRecord,
    timestamp,
)
from pipec.runtime.records import LOGS
from pipec.runtime.refusal import describe_refusal
from pipec.runtime.requirements import check_requirements
from pipec.runtime.step import Surroundings
from pipec.runtime.upkeep import Upkeep


async def perform(
    run: RunContext, upkeep: Upkeep, task: Task, foreseen: Decision | None
) -> TaskRecord:
    """Brings a task to its final state. `foreseen`: what was decided already and still holds."""
    if not runs_here(task, run.request.platform):
        if foreseen is None:
            run.engine.decide(task.id, "[]")
        return skipped_record(task.id, platform_reason(task.platforms))
    return await _Performance(run, upkeep, task).give(foreseen)


async def decide(run: RunContext, task: Task, of_steps: Sequence[Extra] = ()) -> Decision:
    """What has to become of a task, all that it depends on being done.

    `of_steps`: what its steps add to its key.

    Raises:
        RunError: an input cannot be read, or a value cannot be found.
    """
    extras = json.dumps([*await _extras(run, task), *of_steps])
    try:
        if not task.steps:
            # A group has next to nothing to look at: not worth a thread.
            return read_decision(run.engine.decide(task.id, extras))
        return read_decision(await asyncio.to_thread(run.engine.decide, task.id, extras))
    except OSError as error:
        refusal = describe_refusal(error, run.request.root)
        message = f"an input of the task cannot be read: {refusal}"
        raise RunError(Code.INPUT_UNREADABLE, message) from error
    except ValueError as error:
        first = findings_of(error)[0]
        raise RunError(first.code, first.message) from error


async def _extras(run: RunContext, task: Task) -> list[Extra]:
    extras: list[Extra] = []
    for item in task.structured_inputs:
        if isinstance(item, FileValueInput):
            extras.append([file_label(item), run.file_values.value(item)])
        elif isinstance(item, CommandInput):
            value = mocked_value(run.request, item)
            if value is None:
                value = await run.command_values.value(item.command)
                run.found.commands[item.command] = value
            extras.append([item.command, value])
    return extras


class _Performance:
    def __init__(self, run: RunContext, upkeep: Upkeep, task: Task) -> None:
        self._run = run
        self._upkeep = upkeep
        self._halt = Halt()
        self._task = task
        self._clock = run.recorder.clock
        self._started_ms = self._clock.now_ms()
        self._started = self._clock.monotonic()
        self._decision: Decision | None = None
        self._results: Sequence[AttemptResult] = ()
        self._steps: tuple[ReadyStep, ...] | None = None
        self._values: list[Extra] = []
        self._declared: dict[str, str] = {}
        self._log_name = f"{LOGS}/{log_name(task.id)}"
        # None as long as nothing stands in it.
        self._log: str | None = None
        self._open_log: TaskLog | None = None
        self._log_is_whole = True

    async def give(self, foreseen: Decision | None) -> TaskRecord:
        try:
            return await self._bring_about(foreseen)
        except RunError as trouble:
            self._close_log()
            if trouble.code in REFUSALS:
                from pipec.runtime.policy.kept import keep_refusal

                keep_refusal(self._run, self._task.id, trouble)
            if self._halt.requested and self._halt.error is None:
                return self._record("cancelled", reason=self._halt.reason)
            return await self._fail(self._run.error(trouble.code, trouble.message))
        finally:
            self._close_log()

    async def _bring_about(self, foreseen: Decision | None) -> TaskRecord:
        # A command that may not run fails its task, even where a result is kept.
        await self._make_ready()
        self._decision = foreseen or await self._decide()
        if await self._has_been_fetched(self._decision):
            self._decision = await self._decide()
        if self._decision.is_hit:
            refused = await self._restore(self._decision)
            if refused is None:
                await self._replay_log()
                self._close_log()
                record = cached_record(
                    self._task.id,
                    self._decision,
                    started_ms=self._started_ms,
                    duration_ms=self._elapsed_ms(),
                )
                return dataclasses.replace(record, log=self._log)
            self._decision = dataclasses.replace(
                self._decision, verdict=VerdictRecord(kind=refused), origin=None
            )
        if self._task.steps:
            return await self._execute(self._decision)
        return await self._close_group()

    async def _decide(self) -> Decision:
        return await decide(self._run, self._task, await self._make_ready())

    async def _has_been_fetched(self, decision: Decision) -> bool:
        far = self._run.far
        if far is None or not decision.key or decision.verdict.kind not in ("miss", "corrupt"):
            return False
        return await far.fetch(self._task, decision.key)

    async def _make_ready(self) -> list[Extra]:
        """Finds out what is not known of the steps; gives what that means for the key."""
        run, task = self._run, self._task
        if self._steps is None and is_plain(run.request, task):
            self._steps = ready_steps(run.request, task, {})
        elif self._steps is None:
            returned = await self._call_dynamic()
            run.found.returned[task.id] = returned
            self._steps = ready_steps(run.request, task, returned)
            self._values = key_values(run.request, self._steps, returned)
        return self._values

    async def _call_dynamic(self) -> dict[int, list[dict[str, Any]]]:
        """What each `dynamic` function returns: asked once in a run, before the key is known."""
        returned: dict[int, list[dict[str, Any]]] = {}
        self._upkeep.calls(self._task, self._halt)
        for number, step in dynamic_steps(self._task):
            from pipec.runtime.call_step import call_dynamic

            returned[number] = await call_dynamic(self._around(number, step), step)
        return returned

    def _around(self, number: int, step: PythonStep) -> Surroundings:
        run, task = self._run, self._task
        limits = [limit for limit in (step.timeout_ms, task.timeout_ms) if limit is not None]
        return Surroundings(
            run=run,
            task=task,
            attempt=1,
            position=number,
            env=run.environment_of(task, self._begin(), attempt=1),
            cwd=os.path.normpath(os.path.join(run.request.root, task.cwd)),
            output=self._output(),
            timeout_s=min(limits) / 1000 if limits else None,
            halt=self._halt.event,
        )

    def _begin(self) -> dict[str, str]:
        """Makes ready for the first process; gives what the declarations come to."""
        run, task = self._run, self._task
        if not self._declared:
            self._declared = {name: value for name, value, _ in run.engine.environment(task.id)}
        try:
            run.reaper.start()
        except OSError as error:
            message = f"no process can be started: {error.strerror}"
            raise RunError(Code.STEP_NOT_STARTED, message) from error
        return self._declared

    def _output(self) -> TaskOutput:
        run = self._run
        if self._open_log is None:
            path = run.recorder.log_path(self._log_name)
            limit = run.request.max_log_bytes
            self._open_log = TaskLog(path, limit=limit, on_trouble=self._warn_of_log)
        return TaskOutput(
            self._task.id, self._open_log, redaction=run.redaction, recorder=run.recorder
        )

    def _close_log(self) -> None:
        if self._open_log is not None:
            self._open_log.close()
            if self._open_log.is_begun:
                self._log = self._log_name
            self._open_log = None

    async def _restore(self, decision: Decision) -> str | None:
        """Puts the outputs of a hit in place; what becomes of the verdict if they cannot be."""
        if decision.intact:
            return None
        try:
            await asyncio.to_thread(self._run.engine.restore, self._task.id)
        except OSError as error:
            message = f"the stored outputs cannot be restored: {self._refusal(error)}"
            self._run.warn(Code.STORE_UNAVAILABLE, message, task=self._task.id)
            # A disk that is full says nothing about what is stored.
            return "corrupt" if error.errno == errno.EBADMSG else "unreachable"
        return None

    async def _replay_log(self) -> None:
        if not self._run.request.replay_logs:
            return
        data = await asyncio.to_thread(self._run.engine.log_of, self._task.id)
        if data:
            at_ms = self._clock.now_ms()
            chunk = OutputChunk(at_ms=at_ms, task=self._task.id, data=data, replayed=True)
            self._run.recorder.emit(chunk)

    async def _close_group(self) -> TaskRecord:
        if self._task.outputs:
            # Without outputs the decision has closed it.
            await self._seal()
        tasks = self._run.request.pipeline.tasks
        needs = (need for need in self._task.depends_on if tasks[need].service is None)
        statuses = self._run.recorder.statuses(needs)
        return group_record(self._task.id, statuses, started_ms=self._started_ms)

    async def _execute(self, decision: Decision) -> TaskRecord:
        run, task = self._run, self._task
        lost = await self._upkeep.require(task)
        if lost is not None:
            return await self._do_without(lost)
        self._halt.key = decision.key or ""
        self._upkeep.began(task.id, self._halt)
        run.recorder.set_running(task.id)
        run.recorder.emit(
            TaskStarted(
                at_ms=self._clock.now_ms(), task=task.id, verdict=decision.verdict, key=decision.key
            )
        )
        if self._steps is None:
            await self._make_ready()
        assert self._steps is not None
        declared = self._begin()
        seen = {**environment.host_part(task, run.request.host_env), **declared}
        check_requirements(task, seen, f"{run.request.root}/{task.cwd}")
        self._results = await try_task(
            run, task, self._steps, declared, self._output(), halt=self._halt
        )
        self._close_log()
        if run.interrupt.requested:
            return await self._cancel()
        failure = self._results[-1].error
        if failure is not None and self._halt.requested and self._halt.error is None:
            run.engine.failed(task.id)
            return self._record("cancelled", reason=self._halt.reason)
        if failure is not None:
            return await self._fail(self._halt.error or failure)
        path = run.recorder.log_path(self._log) if self._log and self._log_is_whole else None
        return self._record("passed", outputs=await self._seal(path))

    async def _do_without(self, service: str) -> TaskRecord:
        """A service that the task needs is not there."""
        if self._run.interrupt.requested:
            return await self._cancel()
        self._run.engine.failed(self._task.id)
        return skipped_record(self._task.id, f"dependency failed: {service}")

    async def _seal(self, log: str | None = None) -> OutputsRecord | None:
        """Closes the task with the engine.

        Raises:
            RunError: declared outputs are missing, or are not what an output can be.
        """
        facts: dict[str, Any] = {
            "finished_ms": self._clock.now_ms(),
            "duration_ms": self._elapsed_ms(),
            "tool": _core.VERSION,
        }
        if self._metadata:
            facts["metadata"] = self._metadata
        if self._values:
            facts["changed"] = self._changed_code()
        request = json.dumps({**facts, "log": log} if log else facts)
        try:
            answer = await asyncio.to_thread(self._run.engine.seal, self._task.id, request)
        except OSError as error:
            message = f"the outputs cannot be stored: {self._refusal(error)}"
            self._run.warn(Code.STORE_UNAVAILABLE, message, task=self._task.id)
            self._run.engine.failed(self._task.id)
            return None
        sealed = json.loads(answer)
        if sealed["missing"]:
            raise RunError(
                Code.OUTPUT_MISSING,
                f"the task succeeded, but nothing matches its {_outputs(sealed['missing'])}",
            )
        if sealed["unsuitable"]:
            raise RunError(
                Code.OUTPUT_UNSUITABLE,
                f"neither file, link nor folder: {_outputs(sealed['unsuitable'])}",
            )
        self._warn_of_unstored(sealed["changed_inputs"], sealed.get("trouble") or "")
        key = self._decision.key if self._decision else None
        if sealed["stored"] and self._run.far is not None and key:
            await self._run.far.push(self._task, key)
        return OutputsRecord(
            files=sealed["files"], bytes=sealed["bytes"], digest=sealed["digest"] or None
        )

    @property
    def _metadata(self) -> Mapping[str, Any]:
        """What the last attempt said about the task."""
        return self._results[-1].metadata if self._results else {}

    def _changed_code(self) -> list[str]:
        """The modules that are not any more what they were when the key was made of them."""
        steps = [ready.step for ready in self._steps or () if isinstance(ready.step, PythonStep)]
        now = [value for step in steps for value in code_values(self._run.request.root, step)]
        before = [tuple(value) for value in self._values if value[0].startswith("module ")]
        changed = {label for label, _ in {*before} ^ {tuple(value) for value in now}}
        return sorted(label.removeprefix("module ") for label in changed)

    def _warn_of_unstored(self, changed: Sequence[str], trouble: str) -> None:
        name = self._task.id
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            message = (
                f"`{changed[0]}`{more} changed while the task ran: its result is kept, not stored"
            )
            self._run.warn(Code.INPUTS_CHANGED, message, task=name)
        elif trouble:
            message = f"the outputs cannot be stored: {self._refusal(trouble)}"
            self._run.warn(Code.STORE_UNAVAILABLE, message, task=name)

    def _refusal(self, error: OSError | str) -> str:
        return describe_refusal(error, self._run.request.root)

    def _warn_of_log(self, error: OSError) -> None:
        self._log_is_whole = False
        if not self._run.recorder.is_unwritable:
            message = f"the log is incomplete: {error.strerror}"
            self._run.warn(Code.STATE_UNWRITABLE, message, task=self._task.id)

    async def _fail(self, error: ErrorRecord) -> TaskRecord:
        self._run.engine.failed(self._task.id)
        if self._run.interrupt.requested:
            return self._record("cancelled", reason=self._run.interrupt.task_reason)
        return self._record("failed", error=error)

    async def _cancel(self) -> TaskRecord:
        self._run.engine.failed(self._task.id)
        return self._record("cancelled", reason=self._run.interrupt.task_reason)

    def _record(
        self,
        status: TaskStatus,
        *,
        outputs: OutputsRecord | None = None,
        error: ErrorRecord | None = None,
        reason: str | None = None,
    ) -> TaskRecord:
        decision = self._decision
        return TaskRecord(
            id=self._task.id,
            status=status,
            verdict=decision.verdict if decision else None,
            key=decision.key if decision else None,
            attempts=tuple(result.record for result in self._results),
            started_at=timestamp(self._started_ms),
            duration_ms=self._elapsed_ms(),
            log=self._log,
            outputs=outputs,
            reason=reason,
            error=error,
            may_fail=(status == "failed" and self._task.allow_failure) or None,
            metadata=self._metadata or None,
        )

    def _elapsed_ms(self) -> int:
        return round((self._clock.monotonic() - self._started) * 1000)


def _outputs(names: Sequence[str]) -> str:
    quoted = ", ".join(f"`{name}`" for name in names)
    return f"output {quoted}" if len(names) == 1 else f"outputs {quoted}"
