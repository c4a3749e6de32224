"""Jobs in their normal form."""

from typing import Any

from pipec.diagnostics import Finding
from pipec.frontend.lower.env import lower_env
from pipec.frontend.lower.references import References
from pipec.ir.job import GithubPages, GithubSettings, Job, JobEnvironment, JobId, Param
from pipec.ir.task import TaskId
from pipec.spec.job import ConcurrencySpec, DeploymentSpec, GithubJobSpec, JobSpec, ParamSpec
from pipec.spec.pipeline import PipelineSpec


def lower_jobs(
    spec: PipelineSpec, references: References, findings: list[Finding]
) -> dict[JobId, Job]:
    """The jobs by id, in the order of their ids."""
    return {
        JobId(name): _lower_job(JobId(name), spec.jobs[name], references, findings)
        for name in sorted(spec.jobs)
    }


def _lower_job(
    job_id: JobId, written: JobSpec, references: References, findings: list[Finding]
) -> Job:
    foreign: list[str] = []
    targets = _targets(job_id, written, references, findings, foreign)
    return Job(
        id=job_id,
        description=written.description,
        targets=targets,
        foreign_targets=tuple(sorted(set(foreign))),
        triggers=tuple(sorted(set(written.trigger))),
        env=lower_env(written.env),
        params={name: _lower_param(written.params[name]) for name in sorted(written.params)},
        needs=tuple(JobId(need) for need in sorted(set(written.needs))),
        environment=_lower_deployment(written.environment),
        provenance=written.requires.provenance,
        execution=written.execution or "",
        mode=written.mode or "",
        timeout_ms=written.timeout,
        github=_lower_github(written.github),
    )


def _targets(
    job_id: JobId,
    written: JobSpec,
    references: References,
    findings: list[Finding],
    foreign: list[str],
) -> tuple[TaskId, ...]:
    route: tuple[str | int, ...] = ("jobs", job_id, "target")
    if isinstance(written.target, str):
        return references.resolve(written.target, route, findings, foreign=foreign)
    targets: dict[TaskId, None] = {}
    for index, target in enumerate(written.target):
        found = references.resolve(target, (*route, index), findings, foreign=foreign)
        targets.update(dict.fromkeys(found))
    return tuple(sorted(targets))


def _lower_param(written: str | ParamSpec) -> Param:
    if isinstance(written, str):
        return Param(type=written)  # type: ignore[arg-type]
    return Param(
        type=written.type,
        default=None if written.default is None else _text(written.default),
        description=written.description,
        choices=tuple(written.choices or ()),
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lower_deployment(written: str | DeploymentSpec | None) -> JobEnvironment | None:
    if written is None:
        return None
    if isinstance(written, str):
        return JobEnvironment(name=written)
    return JobEnvironment(name=written.name, url=written.url or "")


def _lower_github(written: GithubJobSpec) -> GithubSettings:
    permissions = written.permissions.model_dump(by_alias=True, exclude_none=True)
    shared, pages = written.concurrency, written.pages
    if isinstance(shared, str):
        shared = ConcurrencySpec(group=shared)
    return GithubSettings(
        permissions=dict(sorted(permissions.items())),
        runs_on=lower_labels(written.runs_on),
        runs_on_matrix=tuple(lower_labels(labels) for labels in written.runs_on_matrix or ()),
        timeout_minutes=written.timeout_minutes,
        concurrency=shared.group if shared else "",
        cancel_in_progress=shared is not None and shared.cancel_in_progress,
        pages=GithubPages(path=pages.path, environment=pages.environment) if pages else None,
    )


def lower_labels(written: str | list[str] | None) -> tuple[str, ...]:
    """The labels of a runner."""
    if written is None:
        return ()
    return (written,) if isinstance(written, str) else tuple(written)
