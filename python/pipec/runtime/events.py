"""What happens in a run, as it happens: frozen values for listeners, lines for the journal.

`at_ms` is wall time in milliseconds since the epoch. Every text is redacted already.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipec.runtime.record import RunRecord, TaskRecord, VerdictRecord, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The first event. `folder` is where the record is kept, absolute."""

    at_ms: int
    run_id: str
    pipeline: str
    targets: tuple[str, ...]
    tasks: tuple[str, ...]
    concurrency: int
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReady:
    """Nothing that the task depends on is left to wait for."""

    at_ms: int
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted:
    """The task is about to run its steps; `verdict` says why. A hit never starts."""

    at_ms: int
    task: str
    verdict: VerdictRecord
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """Try `number` of at most `limit`, counted from 1."""

    at_ms: int
    task: str
    number: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A command is about to start; `index` counts from 0."""

    at_ms: int
    task: str
    index: int
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChunk:
    """Bytes that a task wrote, standard output and error in one order, cut anywhere.

    `replayed`: the bytes come from the stored log of a hit.
    """

    at_ms: int
    task: str
    data: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFinished:
    """The end of a try. `retry_in_ms`: another one follows after this long."""

    at_ms: int
    task: str
    number: int
    exit_code: int
    error: str | None = None
    retry_in_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished:
    """The task is passed, failed, cached or cancelled."""

    at_ms: int
    task: TaskRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSkipped:
    """The task will not run in this run; its record says why."""

    at_ms: int
    task: TaskRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStarted:
    """The process of a service has started, for the `number`th time, counted from 1.

    `stays`: it was asked for by name, and stays until the run is interrupted.
    """

    at_ms: int
    task: str
    number: int
    stays: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReady:
    """The tasks that need the service may start; `after_ms`: since its process started."""

    at_ms: int
    task: str
    after_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRestarted:
    """The service ended while it was needed, and is started again: `number` of at most `limit`."""

    at_ms: int
    task: str
    number: int
    limit: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStopped:
    """The process of the service has ended and is not started again; `reason` says why."""

    at_ms: int
    task: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchChanged:
    """A run follows, because of these tasks; those of them that ran have been ended."""

    at_ms: int
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchWaiting:
    """Nothing is left to do until something changes. `folders`: how many are listened to.

    `is_polling`: nobody tells of changes, they are looked for from time to time.
    """

    at_ms: int
    runs: int
    folders: int
    is_polling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRaised:
    """Something that the run can go on without."""

    at_ms: int
    code: str
    message: str
    task: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The last event. `record` is what was written."""

    at_ms: int
    record: RunRecord


Event = (
    RunStarted
    | TaskReady
    | TaskStarted
    | AttemptStarted
    | StepStarted
    | OutputChunk
    | AttemptFinished
    | TaskFinished
    | TaskSkipped
    | ServiceStarted
    | ServiceReady
    | ServiceRestarted
    | ServiceStopped
    | WatchChanged
    | WatchWaiting
    | WarningRaised
    | RunFinished
)

Listener = Callable[[Event], None]


def to_line(event: Event) -> dict[str, Any]:
    """An event as plain data: `event` is its kind; the end of a run does not repeat the tasks."""
    if isinstance(event, OutputChunk):
        text = event.data.decode("utf-8", "replace")
        return {"event": "output_chunk", "at_ms": event.at_ms, "task": event.task, "text": text}
    line = {"event": event_kind(event.__class__), **to_json(event)}
    if isinstance(event, RunFinished):
        # Each task has had its own line.
        del line["record"]["tasks"]
    return line


def event_kind(cls: type) -> str:
    """What a line says it is: `task_started` for `TaskStarted`."""
    return _kind(cls.__name__)


@cache
def _kind(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
