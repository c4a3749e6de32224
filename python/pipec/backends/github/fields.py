"""What of the pipeline shows in the workflow, field by field: a drift can name its cause."""

from collections.abc import Mapping
from typing import Any

from pipec.backends.github.subject import Subject
from pipec.ir.codec import plain
from pipec.ir.job import Job

Field = tuple[str, ...]
"""Where it is: `("jobs", "verify", "timeout")`."""


def fields_of(subject: Subject) -> dict[Field, Any]:
    """The value of every field that decides about the workflow, in the order of their places."""
    fields: dict[Field, Any] = {}
    _add(fields, ("sync", "github"), _settings(subject))
    for name, toolchain in subject.setup.items():
        _add(fields, ("setup", name), plain(toolchain))
        if name in subject.cached_setup:
            fields["setup", name, "downloads"] = "kept"
    used = {name for job in subject.pipeline.jobs.values() for name in job.triggers}
    for name in sorted(used):
        trigger = dict(plain(subject.pipeline.triggers[name]))
        _add(fields, ("triggers", name), {**trigger.pop("github", {}), **trigger})
    for job in subject.pipeline.jobs.values():
        _add(fields, ("jobs", job.id), _job(subject, job))
    fields["pipeline", "name"] = subject.sync.name or subject.pipeline.name
    fields["pipeline", "file"] = subject.pipeline_file
    if subject.cache_path:
        fields["pipeline", "cache"] = subject.cache_path
    return dict(sorted(fields.items()))


def _settings(subject: Subject) -> dict[str, Any]:
    settings = dict(plain(subject.sync))
    # The set-up counts as it was resolved; of runners and times, what became of them in the jobs.
    for key in ("setup", "name", "runs-on", "timeout-minutes"):
        settings.pop(key, None)
    settings["runs-on"] = list(subject.sync.runs_on)
    return settings


def _job(subject: Subject, job: Job) -> dict[str, Any]:
    needed = subject.needed[job.id]
    github = job.github
    return {
        "trigger": list(job.triggers),
        "mode": job.mode,
        "needs": list(job.needs),
        "runs-on": list(subject.runs_on(job)),
        "runs-on-matrix": [list(labels) for labels in github.runs_on_matrix],
        "timeout": subject.timeout_minutes(job),
        "permissions": dict(subject.permissions(job)),
        "provenance": job.provenance or None,
        "environment": plain(job.environment) if job.environment else None,
        "concurrency": [github.concurrency, github.cancel_in_progress]
        if github.concurrency
        else None,
        "pages": plain(github.pages) if github.pages else None,
        "params": plain(job.params),
        "secrets": list(needed.secrets),
        "variables": list(needed.variables),
    }


def _add(fields: dict[Field, Any], place: Field, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value not in (None, "", [], {}):
            fields[*place, name] = value
    fields[place] = True
