"""What is kept of a run: one typed definition, from which the JSON and its schema are made.

A field that is None is left out of the JSON. Times are RFC 3339 in UTC with milliseconds.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, Literal

SCHEMA_VERSION = 1

RunStatus = Literal["running", "passed", "failed", "interrupted"]

ContinueMode = Literal["never", "dependencies-successful", "always"]

TaskStatus = Literal["waiting", "running", "passed", "failed", "cached", "skipped", "cancelled"]
"""The last five are final; each task of a finished run is in exactly one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """What was asked for. What is None was not: `only` is true or None.

    `continue_mode`: what still starts after a failure, if that is not `never`. `arguments` stood
    behind `--`, and `filters` chose among the tasks of the targets. `environment` and `approved`:
    where the run said that it is, and who approved of it, for the policy on command lines.
    """

    targets: tuple[str, ...]
    force: bool
    concurrency: int
    params: Mapping[str, str]
    continue_mode: ContinueMode | None = None
    only: bool | None = None
    arguments: tuple[str, ...] | None = None
    filters: tuple[str, ...] | None = None
    timeout_ms: int | None = None
    environment: str | None = None
    approved: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRecord:
    """One input file that is not what it was at the last success."""

    path: str
    change: Literal["changed", "added", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRecord:
    """Why a task ran, or did not. `more`: how many other inputs changed than those listed."""

    kind: str
    component: str | None = None
    changed: tuple[ChangeRecord, ...] | None = None
    more: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRecord:
    """What the policy on command lines said of a step, and by which rules.

    `approved_by` and `environment` are what rules asked for and were given. A step with the action
    `mock` did not run.
    """

    action: Literal["allow", "mock"]
    rules: tuple[str, ...] | None = None
    approved_by: tuple[str, ...] | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of an attempt. A step that a signal ended has 128 plus its number as exit code."""

    command: str
    started_at: str
    duration_ms: int
    exit_code: int
    signal: str | None = None
    timed_out: bool = False
    policy: PolicyRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One try at a task; its exit code is that of its last step, 124 if time ran out."""

    number: int
    started_at: str
    duration_ms: int
    exit_code: int
    signal: str | None = None
    timed_out: bool = False
    steps: tuple[StepRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputsRecord:
    """The files that the task left, and one digest of them all."""

    files: int
    bytes: int
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRecord:
    """The run that a hit comes from, and how long the task took there."""

    run_id: str
    finished_at: str
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRecord:
    """What went wrong."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRecord:
    """A task that was kept running; `ready_after_ms`: from its first start until it was ready."""

    restarts: int
    ready_after_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """One task. `log` is relative to the record's folder, and none if the task printed nothing;
    `reason` says why it was skipped; `may_fail` that the run passes although it failed, else None.

    `metadata` is what its `call` steps said about it; a hit has that of the run it comes from.
    """

    id: str
    status: TaskStatus = "waiting"
    verdict: VerdictRecord | None = None
    key: str | None = None
    attempts: tuple[AttemptRecord, ...] = ()
    started_at: str | None = None
    duration_ms: int | None = None
    log: str | None = None
    outputs: OutputsRecord | None = None
    origin: OriginRecord | None = None
    reason: str | None = None
    error: ErrorRecord | None = None
    may_fail: bool | None = None
    service: ServiceRecord | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRecord:
    """Something that the run could go on without."""

    code: str
    message: str
    task: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many tasks stand where."""

    waiting: int = 0
    running: int = 0
    passed: int = 0
    failed: int = 0
    cached: int = 0
    skipped: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One execution of a plan. `reason`: what ended the run, if it did not end by itself."""

    run_id: str
    tool_version: str
    pipeline: str
    ir_digest: str
    pid: int
    request: RequestRecord
    status: RunStatus
    started_at: str
    tasks: tuple[TaskRecord, ...]
    counts: Counts
    time_saved_ms: int
    schema_version: int = SCHEMA_VERSION
    exit_code: int | None = None
    finished_at: str | None = None
    duration_ms: int | None = None
    reason: str | None = None
    warnings: tuple[WarningRecord, ...] = field(default_factory=tuple)


def count(tasks: Mapping[str, TaskRecord]) -> Counts:
    """How many of these tasks stand where."""
    numbers = dict.fromkeys(_names(Counts), 0)
    for task in tasks.values():
        numbers[task.status] += 1
    return Counts(**numbers)


def time_saved_ms(tasks: Mapping[str, TaskRecord]) -> int:
    """How much longer the hits took when they ran than they took now."""
    saved = 0
    for task in tasks.values():
        if task.status == "cached" and task.origin is not None:
            saved += max(0, task.origin.duration_ms - (task.duration_ms or 0))
    return saved


def timestamp(epoch_ms: int) -> str:
    """A time as records write it: `2026-11-22T01:19:48.123Z`."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03d}Z"


def to_json(value: Any) -> Any:
    """Plain data of a record or a part of it, without the fields that are None."""
    if isinstance(value, (str, int)):
        return value
    if is_dataclass(value):
        members = ((name, getattr(value, name)) for name in _names(value.__class__))
        return {name: to_json(member) for name, member in members if member is not None}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return value


@cache
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls))
