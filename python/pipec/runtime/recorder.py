"""Everything that happens in a run passes here: to the listeners, the journal and the record."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from pipec import _core
from pipec.codes import Code
from pipec.ir import codec
from pipec.runtime.events import (
    Event,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskSkipped,
    WarningRaised,
)
from pipec.runtime.given import approvals_of, environment_of
from pipec.runtime.journal import Journal
from pipec.runtime.record import (
    RequestRecord,
    RunRecord,
    RunStatus,
    TaskRecord,
    TaskStatus,
    WarningRecord,
    count,
    time_saved_ms,
    timestamp,
)
from pipec.runtime.records import (
    JOURNAL,
    create_folder,
    run_folder,
    write_record,
    write_summary,
)
from pipec.runtime.request import RunRequest, Services

_WRITE_EVERY_S = 1.0
_WRITE_SHARE = 20


class Recorder:
    """The record of one run while it grows. A record that cannot be written is a warning."""

    def __init__(
        self,
        request: RunRequest,
        services: Services,
        run_id: str,
        *,
        redact: Callable[[str], str] = str,
    ) -> None:
        self.run_id = run_id
        self.redact = redact
        self.clock = services.clock
        self.on_closed_output: Callable[[], None] | None = None
        self.output_is_closed = False
        self._request = request
        self._listeners = services.listeners
        self._screen = services.screen
        self._started_ms = self.clock.now_ms()
        self._started = self.clock.monotonic()
        self._tasks = {str(task): TaskRecord(id=str(task)) for task in request.plan.tasks}
        self._warnings: list[WarningRecord] = []
        self._next_write = float("-inf")
        self._ir_digest = codec.digest(request.pipeline_bytes)
        self.folder = run_folder(request.root, run_id)
        self._journal = Journal(f"{self.folder}/{JOURNAL}", on_trouble=self._warn_of_record)
        self._is_live = False
        self._is_over = False
        self.is_unwritable = False
        try:
            create_folder(request.root, run_id)
        except OSError as error:
            # Without a folder there is no record; the run itself can still be done.
            self.is_unwritable = True
            self._warn_of_record(error)

    def begin(self) -> None:
        """Tells that the run starts."""
        plan = self._request.plan
        self.emit(
            RunStarted(
                at_ms=self._started_ms,
                run_id=self.run_id,
                pipeline=self._request.pipeline.name,
                targets=tuple(plan.targets),
                tasks=tuple(plan.tasks),
                concurrency=self._request.concurrency,
                folder=self.folder,
            )
        )

    def emit(self, event: Event) -> None:
        """Tells listeners and journal. When the reader of a listener went away, the run ends."""
        # What a service that outlives the run does is no part of it any more.
        if not self.is_unwritable and not self._is_over:
            self._journal.add(event)
            if self._is_live:
                self._journal.flush()
        if self.output_is_closed:
            return
        with self._reader():
            for listener in self._listeners:
                listener(event)

    def expect(self, tasks: Iterable[tuple[str, int | None]]) -> None:
        """Something may run from now on: every task, and how long it took when it last ran."""
        if self._screen is not None:
            self._screen.expect(tasks)

    def beat(self) -> float | None:
        """Draws what runs now, if it is time; gives the seconds until then. None: never."""
        left: float | None = None
        if self._screen is not None:
            with self._reader():
                left = self._screen.beat()
        return left

    @contextmanager
    def aside(self) -> Iterator[None]:
        """The terminal is somebody else's."""
        self.step_aside()
        try:
            yield
        finally:
            if self._screen is not None:
                self._screen.come_back()

    def step_aside(self) -> None:
        """Leaves the terminal to somebody else, for good."""
        if self._screen is not None:
            with self._reader():
                self._screen.step_aside()

    def lost_the_screen(self) -> None:
        """What stands on the screen is not what was drawn last."""
        if self._screen is not None:
            self._screen.lost()

    @contextmanager
    def _reader(self) -> Iterator[None]:
        """Nothing more is said to a reader who went away, and the run ends."""
        if self.output_is_closed:
            # Whoever speaks would be told at once.
            with suppress(BrokenPipeError):
                yield
            return
        try:
            yield
        except BrokenPipeError:
            self.output_is_closed = True
            if self.on_closed_output is not None:
                self.on_closed_output()

    def set_running(self, task: str) -> None:
        """The task has started."""
        started_at = timestamp(self.clock.now_ms())
        self._tasks[task] = TaskRecord(id=task, status="running", started_at=started_at)

    def settle(self, record: TaskRecord) -> None:
        """The task is in its final state."""
        self._tasks[record.id] = record
        at_ms = self.clock.now_ms()
        if record.status == "skipped":
            self.emit(TaskSkipped(at_ms=at_ms, task=record))
        else:
            self.emit(TaskFinished(at_ms=at_ms, task=record))

    def warn(self, code: Code, message: str, *, task: str | None = None) -> None:
        """Something that the run goes on without."""
        self._warnings.append(WarningRecord(code=code, message=message, task=task))
        self.emit(WarningRaised(at_ms=self.clock.now_ms(), code=code, message=message, task=task))

    def task(self, task: str) -> TaskRecord:
        """The record of a task as it is now."""
        return self._tasks[task]

    def statuses(self, tasks: Iterable[str]) -> list[TaskStatus]:
        """Where these tasks stand, as far as they are part of the run."""
        return [self._tasks[task].status for task in tasks if task in self._tasks]

    def tasks(self) -> Iterable[TaskRecord]:
        """The records of all tasks, in the order of the plan."""
        return self._tasks.values()

    def log_path(self, name: str) -> str:
        """Where a log goes."""
        return os.path.join(self.folder, name)

    def save(self) -> None:
        """Writes the record, unless that was a moment ago. From now on the journal keeps up."""
        if self._screen is not None:
            with self._reader():
                self._screen.flush()
        self._is_live = True
        self._journal.flush()
        now = self.clock.monotonic()
        if now < self._next_write:
            return
        self._write(self._build("running", None, None))
        # The record of a huge run takes its time to write: it gets a small share of the run.
        written = self.clock.monotonic()
        self._next_write = written + max(_WRITE_EVERY_S, _WRITE_SHARE * (written - now))

    def finish(self, status: RunStatus, exit_code: int, *, reason: str | None = None) -> RunRecord:
        """Closes the record and tells the listeners."""
        record = self._build(status, exit_code, reason)
        self.emit(RunFinished(at_ms=self.clock.now_ms(), record=record))
        self._is_over = True
        if not self.is_unwritable:
            self._journal.close()
        self._write(record)
        if not self.is_unwritable:
            try:
                write_summary(self.folder, record)
            except OSError as error:
                self._warn_of_record(error)
        return record

    def _build(self, status: RunStatus, exit_code: int | None, reason: str | None) -> RunRecord:
        request = self._request
        is_over = exit_code is not None
        return RunRecord(
            run_id=self.run_id,
            tool_version=_core.VERSION,
            pipeline=request.pipeline.name,
            ir_digest=self._ir_digest,
            pid=os.getpid(),
            request=RequestRecord(
                targets=tuple(request.plan.asked or request.plan.jobs or request.plan.targets),
                force=request.force,
                concurrency=request.concurrency,
                params={name: self.redact(value) for name, value in request.params.items()},
                continue_mode=None if request.continue_mode == "never" else request.continue_mode,
                only=request.plan.only or None,
                arguments=tuple(map(self.redact, request.arguments)) or None,
                filters=tuple(map(self.redact, request.filters)) or None,
                timeout_ms=request.timeout_ms,
                environment=self.redact(environment_of(request.host_env)) or None,
                approved=tuple(map(self.redact, approvals_of(request.host_env))) or None,
            ),
            status=status,
            started_at=timestamp(self._started_ms),
            tasks=tuple(self._tasks.values()),
            counts=count(self._tasks),
            time_saved_ms=time_saved_ms(self._tasks),
            exit_code=exit_code,
            finished_at=timestamp(self.clock.now_ms()) if is_over else None,
            duration_ms=self.elapsed_ms() if is_over else None,
            reason=reason,
            warnings=tuple(self._warnings),
        )

    def elapsed_ms(self) -> int:
        """How long the run has taken so far."""
        return round((self.clock.monotonic() - self._started) * 1000)

    def _write(self, record: RunRecord) -> None:
        if self.is_unwritable:
            return
        try:
            write_record(self.folder, record)
        except OSError as error:
            self._warn_of_record(error)

    def _warn_of_record(self, error: OSError) -> None:
        """Said once: a disk that is full stays full."""
        if any(warning.code == Code.STATE_UNWRITABLE for warning in self._warnings):
            return
        message = f"the record of this run is incomplete: {error.strerror}"
        self.warn(Code.STATE_UNWRITABLE, message)
