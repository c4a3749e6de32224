"""Tasks and groups of tasks, §4 of the language."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, RootModel, Tag, model_validator

from pipec.codes import Code
from pipec.spec.base import Spec, by_form, kebab, refusal
from pipec.spec.cache import TaskCache
from pipec.spec.env import Env
from pipec.spec.inputs import InputItem, OutputItem
from pipec.spec.matrix import MatrixSpec
from pipec.spec.paths import Path
from pipec.spec.scalars import LARGEST_INTEGER, Count, Duration, EnvName, EnvPattern, Id, Text
from pipec.spec.service import ServiceSpec
from pipec.spec.step import Run, Shell, Step


class RetrySpec(Spec):
    """How often a task is tried."""

    noun: ClassVar[str] = "a retry"

    attempts: Count
    """Attempts in total.

    attempts = 3
    """
    delay: Duration | None = None
    """How long to wait before the second attempt.

    delay = "10s"
    """
    backoff: Annotated[int, Field(ge=1, le=100)] = 1
    """What the wait is multiplied by from attempt to attempt.

    backoff = 2
    """


def _retry_form(value: Any) -> str:
    return "table" if isinstance(value, dict) else "count"


Retry = Annotated[
    Annotated[Count, Tag("count")] | Annotated[RetrySpec, Tag("table")],
    by_form(_retry_form, "expected a number of attempts, or a table with `attempts`"),
]


class RequiresSpec(Spec):
    """What has to be there before the first step."""

    noun: ClassVar[str] = "a table of requirements"

    tools: list[Text] = Field(default_factory=list)
    """Programs on the path.

    tools = ["node", "pnpm"]
    """
    secrets: list[EnvName] = Field(default_factory=list)
    """Variables of the host that must not be empty.

    secrets = ["NPM_TOKEN"]
    """
    runtime: Text | None = None
    """What the steps are made for.

    runtime = "node@24"
    """


class TaskSpec(Spec):
    """A task: inputs, outputs and steps. Without steps it groups its dependencies."""

    noun: ClassVar[str] = "a task"

    description: str = ""
    """What it is for.

    description = "Bundles the app"
    """
    depends_on: list[Text] = Field(default_factory=list)
    """Tasks that must pass before this one starts.

    depends-on = ["typecheck", "codegen"]
    """
    inputs: list[InputItem] = Field(default_factory=list)
    """Files and values that decide whether the task must run again.

    inputs = ["source", "assets/**", { env = "NODE_ENV" }, { command = "node --version" }]
    """
    inputs_gitignore: bool = True
    """Whether patterns leave out what `.gitignore` leaves out.

    inputs-gitignore = false
    """
    outputs: list[OutputItem] = Field(default_factory=list)
    """Files that the task owns.

    outputs = ["dist/**", { glob = "coverage/**", optional = true }]
    """
    cache: TaskCache = False
    """Whether and where results are kept.

    cache = { store = "team", policy = "read-write", ttl = "7d" }
    """
    env: Env = Field(default_factory=dict)
    """Environment, over the job's.

    env = { NODE_ENV = "production" }
    """
    env_inputs: list[EnvPattern] = Field(default_factory=list)
    """Host variables that decide whether the task must run again: `NAME` or `NAME*`.

    env-inputs = ["NODE_ENV", "VITE_*"]
    """
    env_mode: Literal["loose", "strict"] | None = None
    """Whether the task sees the host's environment, or only what is declared.

    env-mode = "strict"
    """
    cwd: Path = ""
    """The folder of its steps, relative to the pipeline's.

    cwd = "web"
    """
    shell: Shell = "sh"
    """The shell of its commands; `sh` and `bash` end a command at its first failing line.

    shell = "bash"
    """
    retry: Retry = 1
    """Attempts in total, or a table.

    retry = { attempts = 3, delay = "10s", backoff = 2 }
    """
    timeout: Duration | None = None
    """How long an attempt may take.

    timeout = "5m"
    """
    requires: RequiresSpec = Field(default_factory=RequiresSpec)
    """What has to be there before the first step.

    requires = { tools = ["node", "pnpm"], secrets = ["NPM_TOKEN"] }
    """
    run: Run | None = None
    """A step, or a list of steps.

    run = ["pnpm build", { argv = ["node", "check it.mjs"] }]
    """
    steps: list[Step] | None = None
    """The long spelling of `run`.

    steps = [{ sh = "pnpm build", name = "Bundle" }]
    """
    pool: Id | None = None
    """Tasks of one pool share its limit.

    pool = "db"
    """
    priority: Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)] = 0
    """Among tasks that are ready, higher first.

    priority = 10
    """
    allow_failure: bool = False
    """Whether the tasks that depend on it run even when it failed.

    allow-failure = true
    """
    interactive: bool = False
    """Whether it gets the terminal to itself; never cached.

    interactive = true
    """
    service: ServiceSpec | None = None
    """Keeps it running for the tasks that depend on it, and ends it after the last of them.

    service = { ready = { port = 5432 }, restart = "on-failure" }
    """
    platforms: Annotated[list[Literal["linux", "macos", "windows"]], Field(min_length=1)] | None = (
        None
    )
    """Where it runs; elsewhere it is skipped.

    platforms = ["linux", "macos"]
    """
    platform_independent: bool = False
    """Whether a result is good on every platform.

    platform-independent = true
    """
    matrix: MatrixSpec | None = None
    """Variables; the task is made once for each combination of their values.

    matrix = { python = ["3.11", "3.12"], os = ["linux", "macos"] }
    """

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if self.run is not None and self.steps is not None:
            message = "a task has `run` or `steps`, not both"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="steps", beside="run")
        if self.interactive and self.cache is not False:
            message = "an interactive task is never cached"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="cache", beside="interactive")
        if self.service is not None:
            self._no_service_that_ends()
        return self

    def _no_service_that_ends(self) -> None:
        written = {kebab(name) for name in self.model_fields_set if getattr(self, name)}
        for key, why in _NOT_OF_SERVICES.items():
            if key in written:
                message = f"a service has no `{key}`: {why}"
                raise refusal(Code.CONFLICTING_FIELDS, message, key=key, beside="service")


_NOT_OF_SERVICES = {
    "cache": "it is running or not, and leaves nothing to be kept",
    "outputs": "nobody waits for its end",
    "interactive": "nobody sits before it",
    "retry": "`restart` in its table says whether it is started again",
    "timeout": "it runs as long as it is needed; `ready-timeout` is for its start",
    "pool": "it would hold its place as long as it runs",
    "allow-failure": "what depends on it cannot do without it",
}

TASK_KEYS = frozenset(TaskSpec.keys())


class TaskGroup(RootModel[dict[Id, Any]]):
    """A table of tasks and groups."""

    root: dict[Id, "TaskNode"]


def task_or_group(value: Any) -> str:
    """A table with a task's key, or an empty one, is a task; a table of tables is a group."""
    if not isinstance(value, dict) or not value or not TASK_KEYS.isdisjoint(value):
        return "task"
    return "group" if all(isinstance(member, dict) for member in value.values()) else "task"


TaskNode = Annotated[
    Annotated[TaskSpec, Tag("task")] | Annotated[TaskGroup, Tag("group")],
    by_form(task_or_group, "expected a task or a group of tasks"),
]
TaskGroup.model_rebuild()
