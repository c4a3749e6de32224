"""Makes the normalized pipeline of the file's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipec.diagnostics import Finding
from pipec.frontend.lower.agents import lower_agents
from pipec.frontend.lower.cache import lower_cache
from pipec.frontend.lower.commands import lower_commands
from pipec.frontend.lower.env import lower_env, lower_env_files
from pipec.frontend.lower.inputs import NamedInputTable
from pipec.frontend.lower.jobs import lower_jobs
from pipec.frontend.lower.known_tasks import KnownTasks
from pipec.frontend.lower.references import References
from pipec.frontend.lower.sandboxes import lower_profiles, lower_sandboxes
from pipec.frontend.lower.sources import lower_sources
from pipec.frontend.lower.sync_github import lower_sync_github
from pipec.frontend.lower.sync_tasks import lower_sync_tasks
from pipec.frontend.lower.tasks import lower_tasks
from pipec.frontend.lower.tree import place_tasks
from pipec.frontend.lower.triggers import lower_triggers
from pipec.frontend.lower.workspace import lower_workspace
from pipec.frontend.origins import TaskOrigin
from pipec.ir.pipeline import Pipeline
from pipec.ir.sync import SyncSettings
from pipec.ir.task import TaskId
from pipec.spec.base import Spec
from pipec.spec.later import CommandsSpec
from pipec.spec.pipeline import PipelineSpec


@dataclass(frozen=True, slots=True)
class Lowered:
    """The normalized pipeline, where its tasks come from, and what could not be lowered.

    `member_origins` are those of the tasks that every member of the workspace gets.
    """

    pipeline: Pipeline
    origins: Mapping[TaskId, TaskOrigin]
    member_origins: Mapping[TaskId, TaskOrigin]
    findings: tuple[Finding, ...]


def lower(spec: PipelineSpec, known: KnownTasks | None = None) -> Lowered:
    """The normalized pipeline of a valid file. What a finding names is left out of it.

    Tasks that are known are not lowered again.
    """
    findings: list[Finding] = []
    placed = place_tasks(spec.tasks, spec.task_defaults, ("tasks",), findings)
    references = References(
        placed, sources=spec.sources or {}, has_members=spec.workspace is not None
    )
    named = NamedInputTable(spec, references, findings)
    cache = lower_cache(spec.cache)
    tasks, origins = lower_tasks(
        spec,
        placed,
        references=references,
        named=named,
        default_cache=cache.default,
        findings=findings,
        known=known,
    )
    workspace, member_origins = lower_workspace(
        spec, named=named, default_cache=cache.default, findings=findings
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
        sources=lower_sources(spec.sources or {}),
        workspace=workspace,
        sandboxes=lower_sandboxes(spec.sandboxes or {}),
        execution=lower_profiles(spec.execution or {}),
        agents=lower_agents(spec.agents or {}),
        commands=lower_commands(spec.commands or CommandsSpec()),
        sync=SyncSettings(
            github=lower_sync_github(spec), tasks=lower_sync_tasks(spec, placed, findings)
        ),
        orchestration=_as_written(spec, ("versions", "depends", "outputs", "schedule")),
    )
    return Lowered(pipeline, origins, member_origins, tuple(findings))


def _as_written(table: Spec | None, keys: Sequence[str]) -> dict[str, Any]:
    """The members of a table that are there, as the file has them."""
    if table is None:
        return {}
    present = {key for key in keys if key in table.model_fields_set}
    return table.model_dump(
        include=present, by_alias=True, exclude_unset=True, mode="json", warnings=False
    )
