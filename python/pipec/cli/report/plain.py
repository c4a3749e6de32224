"""A run as text: a line for each finished task, the log of each failed one, then a summary.

On a terminal, what runs now is shown below these lines; the core draws that.
"""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipec import _core
from pipec.cli.console import Console
from pipec.cli.report.words import plural
from pipec.clock import Clock, SystemClock
from pipec.runtime.durations import spell_duration
from pipec.runtime.events import (
    AttemptFinished,
    Event,
    OutputChunk,
    RunFinished,
    RunStarted,
    ServiceReady,
    ServiceRestarted,
    ServiceStarted,
    StepStarted,
    TaskFinished,
    TaskReady,
    TaskSkipped,
    TaskStarted,
    WarningRaised,
)
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.summary import MAY_FAIL, describe_unstarted, describe_verdict, slowest
from pipec.runtime.visible import visible

if TYPE_CHECKING:
    from pipec.cli.report.following import Following

WIDEST_NAME = 40
_FRAME_S = 0.1
_MARKS = {
    "passed": ("✓", "green"),
    "cached": ("=", "cyan"),
    "failed": ("✗", "red"),
    "skipped": ("-", "yellow"),
    "cancelled": ("!", "yellow"),
}


class PlainReporter:
    """A listener that prints, and its screen. `output_logs`: full, new-only, errors-only, none.

    `is_streamed`: logs are printed as they come, and not with the end of their task. `is_live`:
    what runs now is shown on the terminal.
    """

    def __init__(
        self,
        console: Console,
        *,
        tasks: Sequence[str],
        output_logs: str,
        cwd: str,
        is_streamed: bool = False,
        is_live: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._console = console
        self._output_logs = output_logs
        self._cwd = cwd
        # Nobody knows of a task that runs whether it will fail.
        self.is_streamed = is_streamed and output_logs in ("full", "new-only")
        self.is_streamed = self.is_streamed and not console.is_quiet
        self.is_live = is_live
        self._clock = clock or SystemClock()
        self._view = _core.View(
            console.size, color=console.color, live=is_live, streamed=self.is_streamed
        )
        self._width = min(max(map(len, tasks), default=0), WIDEST_NAME)
        self._folder = ""
        self._following: Following | None = None
        self._replayed: dict[str, bytes] = {}

    def __call__(self, event: Event) -> None:
        """Takes note of the event, and prints what there is to say, unless a picture will."""
        match event:
            case TaskFinished(task=task):
                self._finished(task)
                if task.status == "cached":
                    # There may be thousands, one right after the other.
                    return
            case TaskSkipped(task=task):
                # There may be thousands, and all for one reason: the end of the run tells.
                self.leave(task)
                return
            case OutputChunk():
                self._take_output(event)
            case TaskStarted(task=name):
                self._view.started(name, self._clock.monotonic())
            case TaskReady():
                return
            case ServiceStarted() | ServiceReady() | ServiceRestarted():
                self._tell_service(event)
            case RunStarted(folder=folder):
                self._folder = folder
            case RunFinished(record=record):
                self._summary(record)
                self.close()
            case WarningRaised():
                about = f"{event.task}: " if event.task else ""
                head = self._console.style(f"warning[{event.code}]", "yellow")
                self._complain(f"{head}: {about}{visible(event.message)}")
            case AttemptFinished(retry_in_ms=int(delay)):
                number, error = event.number, event.error or f"exit code {event.exit_code}"
                self._say(
                    f"↻ {event.task}: attempt {number} failed ({visible(error)}), "
                    f"again in {spell_duration(delay)}"
                )
            case StepStarted() if self._console.is_verbose:
                self._say(f"$ {event.task}: {visible(event.command)}")
        self.flush()

    def _tell_service(self, event: ServiceStarted | ServiceReady | ServiceRestarted) -> None:
        match event:
            case ServiceStarted(stays=True):
                self._follow(event.task)
            case ServiceReady(after_ms=after_ms):
                mark = self._console.style("▸", "green")
                self._say(f"{mark} {event.task}: ready after {spell_duration(after_ms)}")
            case ServiceRestarted(number=number, limit=limit):
                why = f"{visible(event.reason)}, started again ({number} of at most {limit})"
                self._say(f"↻ {event.task}: {why}")
            case _:
                pass

    def say(self, line: str) -> None:
        """A line of somebody else."""
        self._say(line)

    def leave(self, task: TaskRecord) -> None:
        """A task is over, and nobody need know."""
        if self._following is not None:
            self._following.finish(task.id)
        self._view.settled(task.id, task.status)

    def tell_failures(self, record: RunRecord) -> None:
        """A line for each task that failed."""
        for task in record.tasks:
            if task.status != "failed":
                continue
            code = f"[{task.error.code}]" if task.error else ""
            reason = visible(task.error.message) if task.error else "failed"
            if task.may_fail:
                head = self._console.style(f"warning{code}", "yellow")
                reason += MAY_FAIL
            else:
                head = self._console.style(f"error{code}", "red")
            self._complain(f"{head}: {task.id}: {reason}")

    def expect(self, tasks: Iterable[tuple[str, int | None]]) -> None:
        """Something may run from now on."""
        self._view.expect(list(tasks), self._clock.monotonic())

    def flush(self) -> None:
        """Says what there is to say, unless the next picture will."""
        if self._view.due_in(0) is None:
            self._draw()

    def beat(self) -> float | None:
        """Draws what runs now, if it is time; gives the seconds until then."""
        if not self.is_live:
            return None
        left = self._view.due_in(self._clock.monotonic())
        if left is not None and left <= 0:
            self._draw()
            left = self._view.due_in(self._clock.monotonic())
        return _FRAME_S if left is None else left

    def step_aside(self) -> None:
        """Leaves the terminal to somebody else until `come_back`."""
        self._write(self._view.step_aside(self._console.size))

    def come_back(self) -> None:
        """The terminal is ours again."""
        self._view.come_back()

    def lost(self) -> None:
        """What stands on the screen is not what was drawn last."""
        self._view.lost_the_screen()

    def close(self) -> None:
        """Leaves nothing on the screen but lines that stay."""
        self._write(self._view.rest(self._console.size))

    def _draw(self) -> None:
        self._write(self._view.frame(self._clock.monotonic(), self._console.size))

    def _write(self, text: str) -> None:
        if text:
            self._console.write_log(text)
        self._console.flush()

    def _say(self, line: str) -> None:
        if not self._console.is_quiet:
            self._complain(line)

    def _complain(self, line: str) -> None:
        self._view.say(f"{line}\n")

    def _take_output(self, chunk: OutputChunk) -> None:
        if chunk.replayed and not self.is_streamed:
            self._replayed[chunk.task] = self._replayed.get(chunk.task, b"") + chunk.data
            return
        if self._following is not None:
            self._following.take(chunk.task, chunk.data)
        if self._view.output(chunk.task, chunk.data):
            self._draw()

    def _follow(self, service: str) -> None:
        """What a service writes that was asked for by name is said as it comes."""
        if self.is_streamed or self._output_logs == "none":
            return
        # Not at the top: most runs have no service that stays.
        from pipec.cli.report.following import Following

        self._following = self._following or Following(self._console, self._say, width=self._width)
        self._following.start(service)

    def _finished(self, task: TaskRecord) -> None:
        was_followed = self._following is not None and self._following.finish(task.id)
        failed = task.status == "failed"
        self._view.settled(task.id, task.status)
        tell = self._complain if failed else self._say
        tell(self._line(task))
        wanted = {
            "full": True,
            "new-only": task.status in ("passed", "failed"),
            "errors-only": failed,
        }
        if was_followed and not self._console.is_quiet:
            return
        is_wanted = wanted.get(self._output_logs, False) and not self.is_streamed
        if is_wanted and (failed or not self._console.is_quiet):
            self._print_log(task)

    def _line(self, task: TaskRecord) -> str:
        mark, color = _MARKS.get(task.status, ("?", "yellow"))
        if task.may_fail:
            color = "yellow"
        time = "" if task.duration_ms is None else spell_duration(task.duration_ms)
        head = f"{task.id:<{self._width}}  {time:>6}  "
        line = self._view.fit(f"{head}{visible(describe_verdict(task))}".rstrip(), len("✓ "))
        if line.startswith(head):
            line = head + self._console.style(line.removeprefix(head), "dim")
        return f"{self._console.style(mark, color)} {line}"

    def _print_log(self, task: TaskRecord) -> None:
        log = _core.clean(self._log_of(task), colors=self._console.color)
        if not log:
            return
        if not log.endswith("\n"):
            log += "\n"
        self._complain(self._console.style(f"--- log of {task.id}", "dim"))
        self._view.say(log)
        self._complain(self._console.style(f"--- end of {task.id}", "dim"))

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
        if unstarted := describe_unstarted(record):
            mark, color = _MARKS["skipped"]
            self._say(f"{self._console.style(mark, color)} {unstarted}")
        self._say("")
        self.tell_failures(record)
        self._say(summary_line(record))
        took = (f"{task.id} {spell_duration(task.duration_ms or 0)}" for task in slowest(record))
        if names := ", ".join(took):
            self._say(f"slowest: {names}")
        where = os.path.relpath(self._folder, self._cwd)
        self._say(f"record: {visible(where)}")


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
