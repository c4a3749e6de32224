"""The whole file, §3 of the language."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from pipec.codes import Code
from pipec.spec.base import Spec, kebab, refusal
from pipec.spec.cache import Cache
from pipec.spec.env import Env, EnvFile
from pipec.spec.inputs import InputItem
from pipec.spec.job import JobSpec
from pipec.spec.later import (
    AgentSpec,
    CommandsSpec,
    ProfileSpec,
    SandboxSpec,
    SourceSpec,
    SyncSpec,
    WorkspaceSpec,
)
from pipec.spec.scalars import Count, Id, Plain, Text, plain
from pipec.spec.task import TaskNode, TaskSpec
from pipec.spec.trigger import TriggerSpec
from pipec.spec.version import requirement_problem

_LONGEST_JOB_ID = 100


def _requirement(value: str) -> str:
    problem = requirement_problem(value)
    if problem:
        advice = 'write it as `">=0.3"` or `">=0.3,<2"`'
        raise refusal(Code.INVALID_VALUE, problem, advice=advice)
    return value


def _job_id(value: str) -> str:
    if len(value) > _LONGEST_JOB_ID:
        raise refusal(Code.INVALID_ID, f"a job's id has at most {_LONGEST_JOB_ID} characters")
    return value


class PipelineSpec(Spec):
    """A pipeline."""

    noun: ClassVar[str] = "a pipeline"

    schema_: Any = Field(default=None, alias="$schema")
    """The schema of this file, for editors."""
    name: Text
    """The pipeline's name; it enters records."""
    description: str = ""
    """What it is for."""
    pipec: Annotated[str, AfterValidator(_requirement)] | None = None
    """The versions of the tool that can read this file."""
    env: Env = Field(default_factory=dict)
    """Environment of every job."""
    env_files: list[EnvFile] = Field(default_factory=list)
    """Files of environment variables, read before `env`."""
    env_mode: Literal["loose", "strict"] = "loose"
    """Whether tasks see the host's environment, or only what is declared."""
    named_inputs: dict[Id, list[InputItem]] = Field(default_factory=dict)
    """Groups of inputs, by name."""
    task_defaults: dict[str, TaskSpec] = Field(default_factory=dict)
    """Defaults of tasks, by id, by the last part of an id, or `*`."""
    tasks: dict[Id, TaskNode] = Field(default_factory=dict)
    """Tasks and groups of tasks."""
    jobs: dict[Annotated[Id, AfterValidator(_job_id)], JobSpec] = Field(default_factory=dict)
    """Named entry points."""
    triggers: dict[Id, TriggerSpec] = Field(default_factory=dict)
    """When jobs run by themselves."""
    pools: dict[Id, Count] = Field(default_factory=dict)
    """How many tasks of a pool run at a time."""
    cache: Cache = "file:local"
    """Where results are kept."""
    sources: dict[Id, SourceSpec] | None = None
    """Other repositories or folders whose pipelines join this one."""
    workspace: WorkspaceSpec | None = None
    """The members of a monorepo."""
    sandboxes: dict[Id, SandboxSpec] | None = None
    """Where tasks can run."""
    execution: dict[Id, ProfileSpec] | None = None
    """How jobs are executed."""
    agents: dict[Id, AgentSpec] | None = None
    """Command lines of agents."""
    commands: CommandsSpec | None = None
    """The policy on command lines."""
    sync: SyncSpec | None = None
    """Generated files to keep current."""
    versions: Annotated[dict[str, Any], BeforeValidator(plain)] | None = None
    """Versions that the pipeline takes part in."""
    depends: Plain = None
    """Pipelines that this one depends on."""
    outputs: Annotated[dict[str, Any], BeforeValidator(plain)] | None = None
    """What the pipeline gives to others."""
    schedule: Plain = None
    """When the pipeline runs by itself."""

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that the table may have."""
        return tuple(field.alias or kebab(name) for name, field in cls.model_fields.items())
