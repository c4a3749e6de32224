"""How one step is started and how it ended, whatever its kind: what all kinds share."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipec.codes import Code
from pipec.ir.step import Step
from pipec.ir.task import Task
from pipec.ports.executor import Exit
from pipec.runtime.context import RunContext
from pipec.runtime.durations import spell_duration
from pipec.runtime.output import TaskOutput
from pipec.runtime.process import TIMED_OUT
from pipec.runtime.record import ErrorRecord

_NOT_FOUND = 127
_NOT_EXECUTABLE = 126


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a step is started in. `position`: of the step in the attempt, from 0."""

    run: RunContext
    task: Task
    attempt: int
    position: int
    env: Mapping[str, str]
    cwd: str
    output: TaskOutput
    timeout_s: float | None
    halt: asyncio.Event
    """Set when the task is to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnd:
    """How a step ended; no error: it succeeded. `metadata` is what it said about the task."""

    exit: Exit
    error: ErrorRecord | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def quote_command(text: str) -> str:
    """A command inside a message: its first line."""
    lines: Sequence[str] = text.strip().splitlines() or [""]
    return f"`{lines[0]}`" if len(lines) == 1 else f"`{lines[0]} …`"


def judge(around: Surroundings, step: Step, text: str, ended: Exit) -> ErrorRecord | None:
    """What an exit means; nothing for a success."""
    command = quote_command(text)
    if ended.timed_out:
        assert ended.code == TIMED_OUT
        limit_ms, whose = _limit(step, around.task)
        message = f"{command} was ended: {whose} may take {spell_duration(limit_ms)}"
        return around.run.error(Code.TIMED_OUT, message)
    if ended.signal is not None:
        message = f"{command} was ended by {ended.signal} (exit status {ended.code})"
        return around.run.error(Code.STEP_FAILED, message)
    if ended.code:
        message = f"{command} ended with exit status {ended.code}"
        return around.run.error(Code.STEP_FAILED, message)
    return None


def not_started(around: Surroundings, text: str, trouble: OSError | ValueError) -> StepEnd:
    """A step whose program there is not, or cannot be run."""
    code = _NOT_EXECUTABLE if isinstance(trouble, PermissionError) else _NOT_FOUND
    reason = trouble.strerror if isinstance(trouble, OSError) else str(trouble)
    if not os.path.isdir(around.cwd):
        folder = os.path.relpath(around.cwd, around.run.request.root)
        reason = f"there is no folder `{folder}` to run it in"
    message = f"{quote_command(text)} cannot be started: {reason}"
    return StepEnd(
        exit=Exit(code=code, duration_ms=0),
        error=around.run.error(Code.STEP_NOT_STARTED, message),
    )


def _limit(step: Step, task: Task) -> tuple[int, str]:
    if step.timeout_ms is not None and step.timeout_ms <= (task.timeout_ms or step.timeout_ms):
        return step.timeout_ms, "the step"
    assert task.timeout_ms is not None
    return task.timeout_ms, "the task"
