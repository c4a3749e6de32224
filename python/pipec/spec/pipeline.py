"""The whole file, §3 of the language."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

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
from pipec.spec.scalars import ID, Count, Id, Plain, PlainTable, Text, text_like
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


Requirement = Annotated[
    str,
    AfterValidator(_requirement),
    text_like(
        r"^\s*([<>=!~]=|[<>])\s*\d+(\.\d+){0,3}\s*(,\s*([<>=!~]=|[<>])\s*\d+(\.\d+){0,3}\s*)*$"
    ),
]


def _job_id(value: str) -> str:
    if len(value) > _LONGEST_JOB_ID:
        raise refusal(Code.INVALID_ID, f"a job's id has at most {_LONGEST_JOB_ID} characters")
    return value


JobId = Annotated[
    Id,
    AfterValidator(_job_id),
    WithJsonSchema({"type": "string", "pattern": f"^{ID}$", "maxLength": _LONGEST_JOB_ID}),
]


class PipelineSpec(Spec):
    """A pipeline."""

    noun: ClassVar[str] = "a pipeline"

    schema_: str | None = Field(default=None, alias="$schema")
    """The schema of this file, for editors.

    "$schema" = "./.pipec/schemas/pipeline.schema.json"
    """
    name: Text
    """The pipeline's name; it enters records.

    name = "storefront"
    """
    description: str = ""
    """What it is for.

    description = "Builds, checks and ships the storefront"
    """
    pipec: Requirement | None = None
    """The versions of the tool that can read this file.

    pipec = ">=0.1"
    """
    env: Env = Field(default_factory=dict)
    """Environment of every job.

    env = { NODE_ENV = "production", NPM_TOKEN = { secret = "NPM_TOKEN" } }
    """
    env_files: list[EnvFile] = Field(default_factory=list)
    """Files of environment variables, read before `env`.

    env-files = [".env", { path = ".env.local", optional = true }]
    """
    env_mode: Literal["loose", "strict"] = "loose"
    """Whether tasks see the host's environment, or only what is declared.

    env-mode = "strict"
    """
    named_inputs: dict[Id, list[InputItem]] = Field(default_factory=dict)
    """Groups of inputs, by name.

    [named-inputs]
    source = ["src/**/*.ts", "package.json", "!src/**/*.test.ts"]
    """
    task_defaults: dict[str, TaskSpec] = Field(default_factory=dict)
    """Defaults of tasks, by id, by the last part of an id, or `*`.

    [task-defaults.build]
    cache = true
    timeout = "10m"
    """
    tasks: dict[Id, TaskNode] = Field(default_factory=dict)
    """Tasks and groups of tasks.

    [tasks.build]
    inputs = ["src/**"]
    outputs = ["dist/**"]
    cache = true
    run = "pnpm build"
    """
    jobs: dict[JobId, JobSpec] = Field(default_factory=dict)
    """Named entry points.

    [jobs.verify]
    target = ["lint", "test"]
    """
    triggers: dict[Id, TriggerSpec] = Field(default_factory=dict)
    """When jobs run by themselves.

    [triggers]
    pr = { github = { events = ["pull_request"] } }
    nightly = { cron = "17 2 * * *" }
    """
    pools: dict[Id, Count] = Field(default_factory=dict)
    """How many tasks of a pool run at a time.

    pools = { db = 1, browser = 2 }
    """
    cache: Cache = "file:local"
    """Where results are kept.

    cache = { default = "file:local", stores = { file = { file = { max-size = "20GiB" } } } }
    """
    sources: dict[Id, SourceSpec] | None = None
    """Other repositories or folders whose pipelines join this one.

    [sources.storefront]
    git = "https://github.com/acme/storefront.git"
    ref = "main"
    """
    workspace: WorkspaceSpec | None = None
    """The members of a monorepo.

    [workspace]
    members = ["packages/*", "!packages/legacy"]
    graph = "package.json"
    """
    sandboxes: dict[Id, SandboxSpec] | None = None
    """Where tasks can run.

    [sandboxes.node24]
    container = { image = "node:24-slim" }
    """
    execution: dict[Id, ProfileSpec] | None = None
    """How jobs are executed.

    [execution.ci]
    target = "github"
    sandbox = "node24"
    provider = "docker"
    runs-on = "ubuntu-24.04"
    """
    agents: dict[Id, AgentSpec] | None = None
    """Command lines of agents.

    [agents.claude]
    command = ["claude", "-p"]
    """
    commands: CommandsSpec | None = None
    """The policy on command lines.

    [commands]
    fallback = "allow"
    rules = [{ prefix = "npm publish", action = { require-environment = "prod" } }]
    """
    sync: SyncSpec | None = None
    """Generated files to keep current.

    [sync]
    github = true
    """
    versions: PlainTable | None = None
    """Versions that the pipeline takes part in.

    versions = { app = "1.4.0" }
    """
    depends: Plain = None
    """Pipelines that this one depends on.

    depends = ["../platform"]
    """
    outputs: PlainTable | None = None
    """What the pipeline gives to others.

    outputs = { image = "dist/image.tar" }
    """
    schedule: Plain = None
    """When the pipeline runs by itself.

    schedule = { nightly = "17 2 * * *" }
    """

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that the table may have."""
        return tuple(field.alias or kebab(name) for name, field in cls.model_fields.items())
