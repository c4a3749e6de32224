"""A whole pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipec.ir.cache import CacheSettings
from pipec.ir.env import EnvFile, EnvValue
from pipec.ir.inputs import NamedInputs
from pipec.ir.job import Job, JobId
from pipec.ir.task import Task, TaskId
from pipec.ir.trigger import Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The normalized pipeline. Mappings are in the order of their keys."""

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
