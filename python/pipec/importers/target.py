"""The pipeline that an import makes, before ids are given: tasks by what the source calls them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipec.importers.report import Place, Report

Key = tuple[str, ...]
"""What an importer calls a task; never shown."""


@dataclass(slots=True, kw_only=True)
class TargetTask:
    """A task. `fields` has values of the language, except for `depends-on`, which `needs` becomes.

    `path` is its name in the source with the namespaces before it; legal ids are made of it later.
    """

    key: Key
    path: tuple[str, ...]
    place: Place
    report: Report
    fields: dict[str, Any] = field(default_factory=dict)
    needs: dict[Key, Place] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """What notes call it."""
        return ":".join(self.path)

    def needs_task(self, key: Key, place: Place) -> None:
        """Adds a dependency; nothing happens if it is there."""
        self.needs.setdefault(key, place)

    def approximated(self, place: Place, subject: str, reason: str) -> None:
        """Notes an approximation, in the report and above the task."""
        self.report.approximated(place, f"{self.shown}: {subject}", reason)
        self.remark(f"Approximated: {subject}: {reason}.")

    def dropped(self, place: Place, subject: str, reason: str) -> None:
        """Notes what is left out, in the report and above the task."""
        self.report.dropped(place, f"{self.shown}: {subject}", reason)
        self.remark(f"Left out: {subject}: {reason}.")

    def remark(self, text: str) -> None:
        """Adds a comment above the task, once."""
        if text not in self.comments:
            self.comments.append(text)


@dataclass(slots=True, kw_only=True)
class TargetJob:
    """A job; `targets` are tasks by their keys."""

    name: str
    place: Place
    targets: list[Key]
    fields: dict[str, Any] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Target:
    """The whole pipeline. `fields` has the values of the language for keys at the top."""

    name: str
    report: Report
    fields: dict[str, Any] = field(default_factory=dict)
    tasks: dict[Key, TargetTask] = field(default_factory=dict)
    jobs: list[TargetJob] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def add(self, key: Key, path: Iterable[str], place: Place) -> TargetTask:
        """A new task. Of two with one key the later one stays, as in most of these tools."""
        task = TargetTask(key=key, path=tuple(path), place=place, report=self.report)
        self.tasks[key] = task
        return task

    def add_job(self, name: str, place: Place, targets: Iterable[Key]) -> TargetJob:
        """A new job."""
        job = TargetJob(name=name, place=place, targets=list(targets))
        self.jobs.append(job)
        return job

    def approximated(self, place: Place, subject: str, reason: str) -> None:
        """Notes an approximation, in the report and at the top of the file."""
        self.report.approximated(place, subject, reason)
        self._remark(f"Approximated: {subject}: {reason}.")

    def dropped(self, place: Place, subject: str, reason: str) -> None:
        """Notes what is left out, in the report and at the top of the file."""
        self.report.dropped(place, subject, reason)
        self._remark(f"Left out: {subject}: {reason}.")

    def _remark(self, text: str) -> None:
        if text not in self.comments:
            self.comments.append(text)
