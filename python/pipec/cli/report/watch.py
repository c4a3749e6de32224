"""What a person sees of a watch: each run as always, or a line each where there is no screen."""

from pipec.cli.report.plain import PlainReporter, summary_line
from pipec.cli.report.words import plural
from pipec.runtime.events import (
    Event,
    RunFinished,
    StepStarted,
    TaskFinished,
    TaskSkipped,
    WatchChanged,
    WatchWaiting,
)
from pipec.runtime.record import RunRecord
from pipec.runtime.visible import visible

_MOST_NAMES = 3


class WatchReporter:
    """A listener. `is_brief`: of a run only what failed, and one line."""

    def __init__(self, plain: PlainReporter, *, is_brief: bool) -> None:
        self._plain = plain
        self._is_brief = is_brief
        self._has_waited = False
        self._because = ""

    def __call__(self, event: Event) -> None:
        """Says what there is to say about the event."""
        match event:
            case WatchWaiting():
                self._wait(event)
            case WatchChanged(tasks=tasks):
                self._because = f"{_names(tasks)} changed"
                if not self._is_brief:
                    self._plain.say(f"\n{self._because}")
            case TaskFinished(task=task) if self._is_brief and task.status != "failed":
                self._plain.leave(task)
            case TaskSkipped(task=task) if self._is_brief:
                self._plain.leave(task)
            case StepStarted() if self._is_brief:
                pass
            case RunFinished(record=record) if self._is_brief:
                self._plain.tell_failures(record)
                self._plain.say(self._line(record))
            case _:
                self._plain(event)
                return
        self._plain.flush()

    def _wait(self, event: WatchWaiting) -> None:
        if self._is_brief and self._has_waited:
            return
        self._has_waited = True
        how = "looking for changes every second"
        if not event.is_polling:
            how = f"watching {plural(event.folders, 'folder')}"
        self._plain.say(f"{how}, until it is interrupted")

    def _line(self, record: RunRecord) -> str:
        because, self._because = self._because, ""
        head = f"{because}: " if because else ""
        return f"{head}{summary_line(record)} ({record.run_id})"


def _names(tasks: tuple[str, ...]) -> str:
    shown = ", ".join(visible(task) for task in tasks[:_MOST_NAMES])
    more = len(tasks) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
