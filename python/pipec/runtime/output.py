"""What a task prints, on its way to the log and to whoever listens: without secrets."""

from collections.abc import Callable

from pipec.ir.task import TaskId
from pipec.runtime.events import OutputChunk
from pipec.runtime.logs import TaskLog
from pipec.runtime.recorder import Recorder
from pipec.runtime.redaction import Redaction

Listener = Callable[[bytes], None]


class TaskOutput:
    """The output of one task, of all its steps in order."""

    def __init__(
        self,
        task: TaskId,
        log: TaskLog,
        *,
        redaction: Redaction,
        recorder: Recorder,
        tap: Listener | None = None,
        raw_tap: Listener | None = None,
    ) -> None:
        self._task = task
        self._log = log
        self._redaction = redaction
        self._recorder = recorder
        self._tap = tap
        self._raw_tap = raw_tap

    def tapped(self, listener: Listener, *, as_it_is: bool) -> "TaskOutput":
        """The same output; the listener gets it too, with its secrets if it wants it as it is."""
        return TaskOutput(
            self._task,
            self._log,
            redaction=self._redaction,
            recorder=self._recorder,
            tap=None if as_it_is else listener,
            raw_tap=listener if as_it_is else None,
        )

    def open_stream(self, listener: Listener | None = None) -> "OutputStream":
        """One stream of a step; `listener` gets the same bytes that the log gets."""
        return OutputStream(self._redaction, self._pass_on, listener, self._raw_tap)

    def _pass_on(self, data: bytes) -> None:
        self._log.write(data)
        if self._tap is not None:
            self._tap(data)
        at_ms = self._recorder.clock.now_ms()
        self._recorder.emit(OutputChunk(at_ms=at_ms, task=self._task, data=data))


class OutputStream:
    """Takes bytes as they come; `end` gives out what could have been the start of a secret."""

    def __init__(
        self,
        redaction: Redaction,
        pass_on: Listener,
        listener: Listener | None = None,
        raw: Listener | None = None,
    ) -> None:
        self._redactor = redaction.open_stream()
        self._pass_on = pass_on
        self._listener = listener
        self._raw = raw

    def take(self, data: bytes) -> None:
        """The next bytes."""
        if self._raw is not None:
            self._raw(data)
        self._give(data if self._redactor is None else self._redactor.feed(data))

    def end(self) -> None:
        """Nothing more will come."""
        if self._redactor is not None:
            self._give(self._redactor.finish())

    def _give(self, data: bytes) -> None:
        if data:
            self._pass_on(data)
            if self._listener is not None:
                self._listener(data)
