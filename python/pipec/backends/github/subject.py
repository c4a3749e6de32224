"""Everything that the workflow is made of, looked up once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipec.backends.github.expression import Expression
from pipec.backends.github.facts import Facts
from pipec.backends.github.place import Place
from pipec.backends.github.secrets import Needed, needed_by
from pipec.backends.github.setup.providers import cached_of, resolve_setup
from pipec.backends.github.task_cache import cache_folder
from pipec.backends.github.triggers import (
    CannotSayError,
    Clause,
    clauses_of,
    is_manual,
    print_if,
)
from pipec.ir.job import Job
from pipec.ir.pipeline import Pipeline
from pipec.ir.sync_github import GithubSync, Toolchain

PLAN_JOB = "pipec-plan"
"""The job that evaluates triggers where expressions of GitHub cannot."""

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A pipeline as seen by the generator.

    `conditions` has the `if:` of each job, None where it needs none; a job that is not in it is
    `planned`. `cached_setup` names the toolchains whose downloads can be kept between runs.
    """

    pipeline: Pipeline
    sync: GithubSync
    place: Place
    pipeline_file: str
    setup: Mapping[str, Toolchain]
    cached_setup: frozenset[str]
    clauses: Mapping[str, tuple[Clause, ...]]
    conditions: Mapping[str, Expression | None]
    needed: Mapping[str, Needed]

    @property
    def planned(self) -> tuple[str, ...]:
        """The jobs whose triggers an expression cannot say."""
        return tuple(job for job in self.pipeline.jobs if job not in self.conditions)

    @property
    def manual_jobs(self) -> list[Job]:
        """The jobs that can be started by hand."""
        return [job for job in self.pipeline.jobs.values() if is_manual(job, self.pipeline)]

    @property
    def cache_path(self) -> str:
        """Where results of tasks are kept, from the top of the repository; empty: nowhere."""
        is_wanted = self.sync.cache_tasks and any(
            task.cache is not None for task in self.pipeline.tasks.values()
        )
        root = cache_folder(self.pipeline.cache) if is_wanted else ""
        return self.place.path(root) if root else ""

    def runs_on(self, job: Job) -> tuple[str, ...]:
        """The labels of a job's runner: its own, else its profile's, else those for all."""
        profile = self.pipeline.execution.get(job.execution)
        from_profile = profile.runs_on if profile is not None else ()
        return job.github.runs_on or from_profile or self.sync.runs_on

    def timeout_minutes(self, job: Job) -> int:
        """When GitHub ends a job."""
        if job.github.timeout_minutes is not None:
            return job.github.timeout_minutes
        if job.timeout_ms is not None:
            return -(-job.timeout_ms // _MINUTE_MS)
        return self.sync.timeout_minutes

    def permissions(self, job: Job) -> dict[str, Literal["read", "write"]]:
        """What a job's token may do, without what it does not ask for."""
        granted: dict[str, Literal["read", "write"]] = {"contents": "read"}
        granted |= {
            scope: "write" if level == "write" else "read"
            for scope, level in job.github.permissions.items()
            if level != "none"
        }
        if job.provenance and "id-token" not in job.github.permissions:
            granted["id-token"] = "write"
        return dict(sorted(granted.items()))

    def publishes(self, job: Job) -> bool:
        """Whether the job changes something for others: what it uses has to be its own work."""
        writes = "write" in self.permissions(job).values()
        return writes or job.environment is not None or job.github.pages is not None


def look_at(
    pipeline: Pipeline, sync: GithubSync, *, place: Place, pipeline_file: str, facts: Facts
) -> Subject:
    """The subject of a pipeline. `pipeline_file` is from the top of the repository."""
    clauses: dict[str, tuple[Clause, ...]] = {
        job.id: clauses_of(job, pipeline, merge_group=sync.merge_group)
        for job in pipeline.jobs.values()
    }
    of_all = [clause for job in clauses.values() for clause in job]
    conditions: dict[str, Expression | None] = {}
    for job_id, mine in clauses.items():
        try:
            conditions[job_id] = print_if(mine, of_all) if mine else None
        except CannotSayError:
            continue
    setup = resolve_setup(sync.setup, facts)
    return Subject(
        pipeline=pipeline,
        sync=sync,
        place=place,
        pipeline_file=pipeline_file,
        setup=setup,
        cached_setup=cached_of(setup, facts) if sync.cache_dependencies else frozenset(),
        clauses=clauses,
        conditions=conditions,
        needed={job.id: needed_by([job], pipeline) for job in pipeline.jobs.values()},
    )
