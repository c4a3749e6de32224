"""Sections that are read and checked, and that nothing acts on yet, §10 to §15 of the language."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, Tag, model_validator

from pipec.codes import Code
from pipec.spec.base import ONE_KEY, Spec, by_form, by_key, by_type, refusal
from pipec.spec.job import Labels
from pipec.spec.paths import Pattern
from pipec.spec.scalars import Id, Size, Text
from pipec.spec.step import Step, TextOrVariable
from pipec.spec.sync_github import SyncGithubSpec
from pipec.spec.sync_tasks import SyncTasksSpec
from pipec.spec.task import TaskNode


class SourceSpec(Spec):
    """Another repository or folder whose pipeline joins this one."""

    noun: ClassVar[str] = "a source"

    git: Text | None = None
    """The repository.

    git = "https://github.com/acme/storefront.git"
    """
    ref: Text | None = None
    """Its branch, tag or commit.

    ref = "main"
    """
    path: Text | None = None
    """The folder, instead of a repository.

    path = "../admin"
    """
    pipeline: Text | None = None
    """The pipeline file in it.

    pipeline = "ci/pipeline.toml"
    """
    prepare: list[Step] = Field(default_factory=list)
    """Steps that make a checkout ready.

    prepare = ["pnpm install --frozen-lockfile"]
    """
    writable: bool = False
    """Whether `prepare` may write to the folder.

    writable = true
    """

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.git is None and self.path is None:
            raise refusal(Code.MISSING_FIELD, "a source needs `git` or `path`")
        if self.git is not None and self.path is not None:
            message = "a source has `git` or `path`, not both"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="path", beside="git")
        if self.ref is not None and self.path is not None:
            message = "a folder is taken as it is: only a repository has a `ref`"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="ref", beside="path")
        if self.prepare and self.path is not None and not self.writable:
            message = "preparing a folder writes to it"
            advice = "allow it with `writable = true`"
            raise refusal(
                Code.CONFLICTING_FIELDS, message, advice=advice, key="prepare", beside="path"
            )
        return self


class WorkspaceSpec(Spec):
    """Members of a monorepo, and the tasks that every member gets."""

    noun: ClassVar[str] = "a workspace"

    members: list[Pattern]
    """Folders.

    members = ["packages/*", "!packages/legacy"]
    """
    graph: Literal["package.json", "cargo", "pyproject", "none"] = "none"
    """Where the edges between members come from.

    graph = "package.json"
    """
    tasks: dict[Id, TaskNode] = Field(default_factory=dict)
    """Tasks of every member.

    [tasks.build]
    depends-on = ["^build"]
    inputs = ["src/**", "package.json"]
    outputs = ["dist/**"]
    cache = true
    run = "pnpm build"
    """


class VolumeSpec(Spec):
    """A folder of the host in a container."""

    noun: ClassVar[str] = "a volume"

    source: Text
    """The host's folder.

    source = "./fixtures"
    """
    target: Text
    """The folder in the container.

    target = "/fixtures"
    """
    readonly: bool = False
    """Whether it cannot be written.

    readonly = true
    """


class ContainerSpec(Spec):
    """An image to run in."""

    noun: ClassVar[str] = "a container"

    image: Text
    """The image.

    image = "node:24-slim"
    """
    workdir: Text = "/workspace"
    """Where the project is mounted.

    workdir = "/src"
    """
    volumes: list[VolumeSpec] = Field(default_factory=list)
    """Folders of the host.

    volumes = [{ source = "./fixtures", target = "/fixtures", readonly = true }]
    """


class LimaSpec(Spec):
    """A virtual machine."""

    noun: ClassVar[str] = "a virtual machine"

    vm: Text | None = None
    """Its name.

    vm = "pipec"
    """


class LocalSandboxSpec(Spec):
    """The operating system's own confinement."""

    noun: ClassVar[str] = "a local sandbox"

    read: Literal["declared", "all"] = "declared"
    """What may be read.

    read = "declared"
    """
    write: Literal["declared", "all"] = "declared"
    """What may be written.

    write = "all"
    """
    network: bool = False
    """Whether the network may be used.

    network = true
    """


class SandboxSpec(Spec):
    """Where tasks run: exactly one kind."""

    model_config = ConfigDict(json_schema_extra=ONE_KEY)

    noun: ClassVar[str] = "a sandbox"

    docker: ContainerSpec | None = None
    """A container of Docker.

    docker = { image = "node:24-slim" }
    """
    container: ContainerSpec | None = None
    """A container of the profile's provider.

    container = { image = "node:24-slim", workdir = "/src" }
    """
    lima: LimaSpec | None = None
    """A virtual machine.

    lima = { vm = "pipec" }
    """
    local: LocalSandboxSpec | None = None
    """The operating system's own confinement.

    local = { read = "declared", write = "declared", network = false }
    """

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [key for key in self.keys() if key in self.model_fields_set]
        if not kinds:
            message = "a sandbox needs `docker`, `container`, `lima` or `local`"
            raise refusal(Code.MISSING_FIELD, message)
        if len(kinds) > 1:
            message = f"a sandbox has one kind, and this one has `{kinds[0]}` and `{kinds[1]}`"
            raise refusal(Code.CONFLICTING_FIELDS, message, key=kinds[1], beside=kinds[0])
        return self


class ProfileSpec(Spec):
    """How a job is executed."""

    noun: ClassVar[str] = "an execution profile"

    target: Literal["local", "github"]
    """Where.

    target = "github"
    """
    sandbox: Id | None = None
    """In which sandbox.

    sandbox = "node24"
    """
    provider: Literal["auto", "docker", "podman", "apple-container", "lima"] | None = None
    """Who provides a container.

    provider = "podman"
    """
    runs_on: Labels | None = None
    """The labels of the runner.

    runs-on = ["self-hosted", "linux"]
    """

    @model_validator(mode="after")
    def _labels_need_a_runner(self) -> Self:
        if self.target == "local" and self.runs_on is not None:
            message = "a local profile has no runner"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="runs-on", beside="target")
        return self


class AgentSpec(Spec):
    """The command line of an agent."""

    noun: ClassVar[str] = "an agent"

    command: Annotated[list[Text], Field(min_length=1)]
    """The program and its arguments.

    command = ["claude", "-p"]
    """
    model: TextOrVariable | None = None
    """The model.

    model = { var = "AGENT_MODEL", default = "small" }
    """


class DenySpec(Spec):
    """A refusal that says why."""

    noun: ClassVar[str] = "an action"

    deny: Text
    """Why.

    deny = "releases are made by CI"
    """


class MockResultSpec(Spec):
    """What a command would have done."""

    noun: ClassVar[str] = "a mock"

    code: Annotated[int, Field(ge=0, le=255)] = 0
    """Its exit status.

    code = 1
    """
    stdout: str = ""
    """What it prints.

    stdout = "v24.0.0"
    """
    stderr: str = ""
    """What it complains of.

    stderr = "not logged in"
    """


class MockSpec(Spec):
    """A result instead of a command."""

    noun: ClassVar[str] = "an action"

    mock: MockResultSpec
    """The result.

    mock = { code = 0, stdout = "v24.0.0" }
    """


class RequireEnvironmentSpec(Spec):
    """A command for one environment only."""

    noun: ClassVar[str] = "an action"

    require_environment: Text
    """The environment.

    require-environment = "prod"
    """


class RequireApprovalSpec(Spec):
    """A command that somebody approves."""

    noun: ClassVar[str] = "an action"

    require_approval: Text
    """Who.

    require-approval = "release-managers"
    """


Action = Annotated[
    Annotated[Literal["allow", "deny"], Tag("text")]
    | Annotated[DenySpec, Tag("deny")]
    | Annotated[MockSpec, Tag("mock")]
    | Annotated[RequireEnvironmentSpec, Tag("require-environment")]
    | Annotated[RequireApprovalSpec, Tag("require-approval")],
    by_form(
        by_key("deny", "mock", "require-environment", "require-approval", text=True),
        "an action is `allow`, `deny`, or a table with `deny`, `mock`, `require-environment` "
        "or `require-approval`",
    ),
]


class CommandRuleSpec(Spec):
    """What happens to commands that begin so."""

    noun: ClassVar[str] = "a command rule"

    action: Action
    """What happens.

    action = { deny = "releases are made by CI" }
    """
    prefix: Text | None = None
    """How the command begins.

    prefix = "npm publish"
    """
    exact: Text | None = None
    """The whole command.

    exact = "git push --force"
    """

    @model_validator(mode="after")
    def _one_match(self) -> Self:
        if self.prefix is None and self.exact is None:
            raise refusal(Code.MISSING_FIELD, "a command rule needs `prefix` or `exact`")
        if self.prefix is not None and self.exact is not None:
            message = "a command rule has `prefix` or `exact`, not both"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="exact", beside="prefix")
        return self


class CommandOutputSpec(Spec):
    """What is kept of the output of commands."""

    noun: ClassVar[str] = "a table of output settings"

    max_bytes: Size | None = None
    """How much.

    max-bytes = 20000
    """
    redact_secrets: bool = True
    """Whether secrets are masked in it.

    redact-secrets = true
    """


class CommandsSpec(Spec):
    """The policy on command lines."""

    noun: ClassVar[str] = "the command policy"

    fallback: Literal["allow", "deny"] = "allow"
    """What happens to a command without a rule.

    fallback = "deny"
    """
    record: bool = True
    """Whether commands are recorded.

    record = false
    """
    output: CommandOutputSpec = Field(default_factory=CommandOutputSpec)
    """What is kept of their output.

    output = { max-bytes = 20000, redact-secrets = true }
    """
    rules: list[CommandRuleSpec] = Field(default_factory=list)
    """The rules; the first that fits decides.

    rules = [{ prefix = "rm -rf", action = "deny" }]
    """


class SyncSpec(Spec):
    """Generated files to keep current."""

    noun: ClassVar[str] = "the sync"

    github: (
        Annotated[
            Annotated[bool, Tag("bool")] | Annotated[SyncGithubSpec, Tag("table")],
            by_form(by_type(bool=bool, table=dict), "expected true, false or a table"),
        ]
        | None
    ) = None
    """The GitHub workflow.

    github = { workflow = ".github/workflows/pipec.yml" }
    """
    tasks: (
        Annotated[
            Annotated[bool, Tag("bool")] | Annotated[SyncTasksSpec, Tag("table")],
            by_form(by_type(bool=bool, table=dict), "expected true, false or a table"),
        ]
        | None
    ) = None
    """Scripts of package managers.

    tasks = { prefix = "pipeline" }
    """
