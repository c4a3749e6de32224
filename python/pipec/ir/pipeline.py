"""A whole pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipec.ir.agent import Agent
from pipec.ir.cache import CacheSettings
from pipec.ir.commands import CommandPolicy
from pipec.ir.env import EnvFile, EnvValue
from pipec.ir.inputs import NamedInputs
from pipec.ir.job import Job, JobId
from pipec.ir.sandbox import Profile, Sandbox
from pipec.ir.source import Source
from pipec.ir.sync import SyncSettings
from pipec.ir.task import Task, TaskId
from pipec.ir.trigger import Trigger
from pipec.ir.workspace import Workspace

NOT_ENCODED: Mapping[str, bool] = {"encoded": False}
"""Marks a field of a value that is no part of the IR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The normalized pipeline. Mappings are in the order of their keys.

    `orchestration` holds what is reserved for pipelines that depend on pipelines, by key. `root` is
    the folder that it was loaded from, absolute, or empty; it is no part of the IR: two pipelines
    that differ only there are equal.
    """

    name: str
    description: str = ""
    env: Mapping[str, EnvValue] = field(default_factory=dict)
    env_files: tuple[EnvFile, ...] = ()
    named_inputs: NamedInputs = field(default_factory=dict)
    tasks: Mapping[TaskId, Task] = field(default_factory=dict)
    jobs: Mapping[JobId, Job] = field(default_factory=dict)
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    pools: Mapping[str, int] = field(default_factory=dict)
    cache: CacheSettings = field(default_factory=CacheSettings)
    sources: Mapping[str, Source] = field(default_factory=dict)
    workspace: Workspace | None = None
    sandboxes: Mapping[str, Sandbox] = field(default_factory=dict)
    execution: Mapping[str, Profile] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    commands: CommandPolicy = field(default_factory=CommandPolicy)
    sync: SyncSettings = field(default_factory=SyncSettings)
    orchestration: Mapping[str, Any] = field(default_factory=dict)
    root: str = field(default="", compare=False, repr=False, metadata=NOT_ENCODED)
