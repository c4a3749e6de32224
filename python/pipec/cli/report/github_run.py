"""A run inside of GitHub Actions: the plain view with workflow commands, and a step summary.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions has the commands.
"""

import os
from collections.abc import Callable, Iterable, Mapping

from pipec.cli.console import Console
from pipec.cli.report.github import escape_data, escape_property
from pipec.cli.report.plain import PlainReporter
from pipec.runtime.declared_secrets import declared_secrets
from pipec.runtime.events import (
    Event,
    OutputChunk,
    RunFinished,
    RunStarted,
    TaskFinished,
    WarningRaised,
)
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.request import RunRequest
from pipec.runtime.summary import MAY_FAIL, render_summary

SUMMARY = "GITHUB_STEP_SUMMARY"
_LARGEST_SUMMARY = 1024 * 1024

FindPlace = Callable[[str], tuple[str, int] | None]
"""The file, as its repository calls it, and the line in which a task is defined."""


class GithubReporter:
    """A listener. The log of each task that ran is a group; that of a failed one is open.

    Between `::stop-commands::` and its token nothing that a task prints is obeyed. `secrets` are
    masked by the runner from the first line on, in this step and in the ones after it.
    """

    def __init__(
        self,
        console: Console,
        plain: PlainReporter,
        *,
        secrets: Iterable[str],
        with_logs: bool,
        environ: Mapping[str, str],
        find_place: FindPlace,
    ) -> None:
        self._console = console
        self._plain = plain
        self._secrets = tuple(secrets)
        self._with_logs = with_logs
        self._environ = environ
        self._find_place = find_place
        self._folder = ""
        self._replayed: dict[str, bytes] = {}
        # Nobody who is in the run can guess it.
        self._token = f"pipec-{os.urandom(16).hex()}"
        self._is_stopped = False

    def __call__(self, event: Event) -> None:
        """Prints what there is to say about the event."""
        match event:
            case RunStarted(folder=folder):
                self._folder = folder
                for secret in self._secrets:
                    self._command("add-mask", secret)
                self._plain(event)
            case OutputChunk() if self._plain.is_streamed:
                self._stop_commands()
                self._plain(event)
            case OutputChunk(task=name, data=data, replayed=True):
                self._replayed[name] = self._replayed.get(name, b"") + data
            case TaskFinished(task=task):
                # The end of its output may come with it.
                self._plain(event)
                self._plain.flush()
                self._resume_commands()
                self._print_log(task)
            case WarningRaised():
                about = f"{event.task}: " if event.task else ""
                self._command("warning", f"{about}{event.message}", title=event.code)
            case RunFinished(record=record):
                self._resume_commands()
                self._plain(event)
                self._annotate(record)
                self._summarize(record)
            case _:
                self._plain(event)
        self._plain.flush()

    def _print_log(self, task: TaskRecord) -> None:
        log = self._log_of(task)
        if not self._with_logs or not log or self._plain.is_streamed:
            return
        failed = task.status == "failed"
        if not failed:
            self._command("group", f"log of {task.id}")
        self._stop_commands()
        self._console.write_log(log if log.endswith("\n") else f"{log}\n")
        self._resume_commands()
        if not failed:
            self._command("endgroup", "")

    def _stop_commands(self) -> None:
        if not self._is_stopped:
            self._command("stop-commands", self._token)
            self._is_stopped = True

    def _resume_commands(self) -> None:
        if self._is_stopped:
            self._console.complain(f"::{self._token}::")
            self._is_stopped = False

    def _log_of(self, task: TaskRecord) -> str:
        data = self._replayed.pop(task.id, b"")
        if not data and task.log is not None:
            try:
                with open(os.path.join(self._folder, task.log), "rb") as file:
                    data = file.read()
            except OSError as error:
                return f"(the log cannot be read: {error.strerror})"
        return data.decode("utf-8", "replace")

    def _annotate(self, record: RunRecord) -> None:
        for task in record.tasks:
            if task.status != "failed":
                continue
            message = task.error.message if task.error else "failed"
            about = {"title": task.error.code if task.error else "failed"}
            place = self._find_place(task.id)
            if place is not None:
                about = {"file": place[0], "line": str(place[1]), **about}
            if task.may_fail:
                self._command("warning", f"{task.id}: {message}{MAY_FAIL}", **about)
            else:
                self._command("error", f"{task.id}: {message}", **about)

    def _summarize(self, record: RunRecord) -> None:
        path = self._environ.get(SUMMARY)
        if not path:
            return
        text = render_summary(record).encode("utf-8", "replace")
        if len(text) > _LARGEST_SUMMARY - 1:
            # GitHub takes no summary at all that is larger.
            note = f"\n\n(the record of run `{record.run_id}` has the rest)".encode()
            text = text[: _LARGEST_SUMMARY - len(note) - 1].rpartition(b"\n")[0] + note
        try:
            with open(path, "ab") as file:
                file.write(text + b"\n")
        except OSError as error:
            self._command("warning", f"the step summary cannot be written: {error.strerror}")

    def _command(self, name: str, data: str, **properties: str) -> None:
        self._resume_commands()
        written = ",".join(f"{key}={escape_property(text)}" for key, text in properties.items())
        head = f"{name} {written}" if written else name
        self._console.complain(f"::{head}::{escape_data(data)}")


def masks_of(request: RunRequest) -> tuple[str, ...]:
    """What the runner is to mask: every secret that the pipeline declares, each of their lines."""
    values = declared_secrets(request.pipeline, request.host_env)
    lines = (line for value in values for line in (value, *value.splitlines()))
    return tuple(dict.fromkeys(line for line in lines if line.strip()))
