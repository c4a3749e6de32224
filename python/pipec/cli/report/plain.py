"""A run as text: a line for each finished task, the log of each failed one, then a summary."""

import os
from collections.abc import Sequence

from pipec.cli.console import Console
from pipec.cli.report.words import plural
from pipec.runtime.durations import spell_duration
from pipec.runtime.events import (
    AttemptFinished,
    Event,
    OutputChunk,
    RunFinished,
    RunStarted,
    StepStarted,
    TaskFinished,
    TaskSkipped,
    WarningRaised,
)
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.summary import describe_verdict
from pipec.runtime.visible import visible

WIDEST_NAME = 40
_MARKS = {
    "passed": ("✓", "green"),
    "cached": ("=", "cyan"),
    "failed": ("✗", "red"),
    "skipped": ("-", "yellow"),
    "cancelled": ("!", "yellow"),
}


class PlainReporter:
    """A listener that prints. `output_logs` says whose logs: full, new-only, errors-only, none."""

    def __init__(
        self, console: Console, *, tasks: Sequence[str], output_logs: str, cwd: str
    ) -> None:
        self._console = console
        self._output_logs = output_logs
        self._cwd = cwd
        self._width = min(max(map(len, tasks), default=0), WIDEST_NAME)
        self._folder = ""
        self._replayed: dict[str, bytes] = {}

    def __call__(self, event: Event) -> None:
        """Prints what there is to say about the event."""
        match event:
            case TaskFinished(task=task) | TaskSkipped(task=task):
                self._finished(task)
            case OutputChunk(task=name, data=data, replayed=True):
                self._replayed[name] = self._replayed.get(name, b"") + data
            case RunStarted(folder=folder):
                self._folder = folder
            case RunFinished(record=record):
                self._summary(record)
            case WarningRaised():
                about = f"{event.task}: " if event.task else ""
                head = self._console.style(f"warning[{event.code}]", "yellow")
                self._console.complain(f"{head}: {about}{visible(event.message)}")
            case AttemptFinished(retry_in_ms=int(delay)):
                number, error = event.number, event.error or f"exit code {event.exit_code}"
                self._console.say(
                    f"↻ {event.task}: attempt {number} failed ({visible(error)}), "
                    f"again in {spell_duration(delay)}"
                )
            case StepStarted() if self._console.is_verbose:
                self._console.say(f"$ {event.task}: {visible(event.command)}")
        self._console.flush()

    def _finished(self, task: TaskRecord) -> None:
        failed = task.status == "failed"
        tell = self._console.complain if failed else self._console.say
        tell(self._line(task))
        wanted = {
            "full": True,
            "new-only": task.status in ("passed", "failed"),
            "errors-only": failed,
        }
        if wanted.get(self._output_logs, False) and (failed or not self._console.is_quiet):
            self._print_log(task)

    def _line(self, task: TaskRecord) -> str:
        mark, color = _MARKS.get(task.status, ("?", "yellow"))
        time = "" if task.duration_ms is None else spell_duration(task.duration_ms)
        why = self._console.style(visible(describe_verdict(task)), "dim")
        line = f"{task.id:<{self._width}}  {time:>6}  {why}"
        return f"{self._console.style(mark, color)} {line.rstrip()}"

    def _print_log(self, task: TaskRecord) -> None:
        log = self._log_of(task)
        if not log:
            return
        if not log.endswith("\n"):
            log += "\n"
        self._console.complain(self._console.style(f"--- log of {task.id}", "dim"))
        self._console.write_log(log)
        self._console.complain(self._console.style(f"--- end of {task.id}", "dim"))

    def _log_of(self, task: TaskRecord) -> str:
        data = self._replayed.pop(task.id, b"")
        if not data and task.log is not None:
            try:
                with open(os.path.join(self._folder, task.log), "rb") as file:
                    data = file.read()
            except OSError as error:
                return f"(the log cannot be read: {error.strerror})"
        return data.decode("utf-8", "replace")

    def _summary(self, record: RunRecord) -> None:
        failed = [task for task in record.tasks if task.status == "failed"]
        self._console.say("")
        for task in failed:
            code = f"[{task.error.code}]" if task.error else ""
            reason = visible(task.error.message) if task.error else "failed"
            head = self._console.style(f"error{code}", "red")
            self._console.complain(f"{head}: {task.id}: {reason}")
        self._console.say(summary_line(record))
        where = os.path.relpath(self._folder, self._cwd)
        self._console.say(f"record: {visible(where)}")


def summary_line(record: RunRecord) -> str:
    """`3 tasks in 1.2s: 1 failed, 2 passed (saved 3.4s)`; what went wrong comes first."""
    counts = record.counts
    parts = [
        f"{number} {status}"
        for status, number in (
            ("failed", counts.failed),
            ("cancelled", counts.cancelled),
            ("skipped", counts.skipped),
            ("passed", counts.passed),
            ("cached", counts.cached),
        )
        if number
    ]
    line = f"{plural(len(record.tasks), 'task')} in {spell_duration(record.duration_ms or 0)}"
    line += f": {', '.join(parts)}" if parts else ""
    saved = f" (saved {spell_duration(record.time_saved_ms)})" if record.time_saved_ms else ""
    reason = f", {visible(record.reason)}" if record.reason else ""
    return line + saved + reason
