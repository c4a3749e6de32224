"""Makes the normalized pipeline of the file's tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipec.diagnostics import Finding
from pipec.frontend.lower.cache import lower_cache
from pipec.frontend.lower.env import lower_env, lower_env_files
from pipec.frontend.lower.inputs import NamedInputTable
from pipec.frontend.lower.jobs import lower_jobs
from pipec.frontend.lower.references import References
from pipec.frontend.lower.tasks import lower_tasks
from pipec.frontend.lower.tree import place_tasks
from pipec.frontend.lower.triggers import lower_triggers
from pipec.frontend.origins import TaskOrigin
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import TaskId
from pipec.spec.pipeline import PipelineSpec


@dataclass(frozen=True, slots=True)
class Lowered:
    """The normalized pipeline, where its tasks come from, and what could not be lowered."""

    pipeline: Pipeline
    origins: Mapping[TaskId, TaskOrigin]
    findings: tuple[Finding, ...]


def lower(spec: PipelineSpec) -> Lowered:
    """The normalized pipeline of a valid file. What a finding names is left out of it."""
    findings: list[Finding] = []
    placed = place_tasks(spec, findings)
    references = References(placed, has_members=bool(spec.workspace or spec.sources))
    named = NamedInputTable(spec, references, findings)
    cache = lower_cache(spec.cache)
    tasks, origins = lower_tasks(
        spec,
        placed,
        references=references,
        named=named,
        default_cache=cache.default,
        findings=findings,
    )
    pipeline = Pipeline(
        name=spec.name,
        description=spec.description,
        env=lower_env(spec.env),
        env_files=lower_env_files(spec.env_files),
        named_inputs=named.rules,
        tasks=dict(sorted(tasks.items())),
        jobs=lower_jobs(spec, references, findings),
        triggers=lower_triggers(spec.triggers),
        pools=dict(sorted(spec.pools.items())),
        cache=cache,
    )
    return Lowered(pipeline, origins, tuple(findings))
