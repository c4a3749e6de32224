"""Jobs, §7 of the language."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, Tag, WithJsonSchema, model_validator

from pipec.codes import Code
from pipec.spec.base import Spec, by_form, by_key, by_type, refusal
from pipec.spec.env import Env
from pipec.spec.paths import Path
from pipec.spec.scalars import LARGEST_INTEGER, Duration, Id, Text, describe

ParamType = Literal["string", "int", "bool", "choice"]
_TYPES: dict[str, type] = {"string": str, "int": int, "bool": bool, "choice": str}


class ParamSpec(Spec):
    """A parameter of a job; without `default` it has to be given."""

    noun: ClassVar[str] = "a parameter"

    type: ParamType = "string"
    """What its values are.

    type = "choice"
    """
    default: Annotated[Any, WithJsonSchema({"type": ["string", "integer", "boolean"]})] = None
    """Its value when it is not given.

    default = "staging"
    """
    description: str = ""
    """What it is for.

    description = "Where to deploy"
    """
    choices: Annotated[list[Text], Field(min_length=1)] | None = None
    """The values of a `choice`.

    choices = ["staging", "production"]
    """

    @model_validator(mode="after")
    def _fits(self) -> Self:
        kind = "type" if "type" in self.model_fields_set else ""
        if self.type == "choice" and self.choices is None:
            raise refusal(
                Code.MISSING_FIELD, "a `choice` needs `choices`", key=kind, missing="choices"
            )
        if self.type != "choice" and self.choices is not None:
            message = f"only a `choice` has `choices`, and this parameter is `{self.type}`"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="choices", beside=kind)
        if self.default is None:
            return self
        if type(self.default) is not _TYPES[self.type]:
            message = f"the default of a parameter `{self.type}` cannot be {describe(self.default)}"
            raise refusal(Code.WRONG_TYPE, message, key="default", beside=kind)
        if isinstance(self.default, int) and abs(self.default) > LARGEST_INTEGER:
            raise refusal(Code.INVALID_VALUE, "this number is too large", key="default")
        if self.choices is not None and self.default not in self.choices:
            message = f"the default `{self.default}` is not one of the choices"
            raise refusal(Code.INVALID_VALUE, message, key="default", beside="choices")
        return self


Param = Annotated[
    Annotated[Literal["string", "int", "bool"], Tag("text")] | Annotated[ParamSpec, Tag("table")],
    by_form(
        by_type(text=str, table=dict),
        "a parameter is `string`, `int`, `bool`, or a table with `type`",
    ),
]


class DeploymentSpec(Spec):
    """A deployment environment of GitHub."""

    noun: ClassVar[str] = "an environment"

    name: Text
    """Its name.

    name = "production"
    """
    url: Text | None = None
    """Where the deployment can be seen.

    url = "https://shop.example.com"
    """


Deployment = Annotated[
    Annotated[Text, Tag("text")] | Annotated[DeploymentSpec, Tag("name")],
    by_form(by_key("name", text=True), "an environment is a name, or a table with `name`"),
]
Level = Literal["read", "write", "none"]


class PermissionsSpec(Spec):
    """What the token of a generated job may do."""

    noun: ClassVar[str] = "a table of permissions"

    actions: Level | None = None
    """Workflow runs and their artifacts.

    actions = "read"
    """
    attestations: Level | None = None
    """Attestations of what was built.

    attestations = "write"
    """
    checks: Level | None = None
    """Check runs and check suites.

    checks = "write"
    """
    contents: Level | None = None
    """The repository's files, commits, branches and releases.

    contents = "read"
    """
    deployments: Level | None = None
    """Deployments.

    deployments = "write"
    """
    id_token: Literal["write", "none"] | None = None
    """A token of OpenID Connect that proves who built.

    id-token = "write"
    """
    issues: Level | None = None
    """Issues and their comments.

    issues = "write"
    """
    packages: Level | None = None
    """Packages of the registry.

    packages = "write"
    """
    pages: Level | None = None
    """Builds of the site.

    pages = "write"
    """
    pull_requests: Level | None = None
    """Pull requests and their comments.

    pull-requests = "write"
    """
    security_events: Level | None = None
    """Alerts of code scanning.

    security-events = "write"
    """
    statuses: Level | None = None
    """Statuses of commits.

    statuses = "write"
    """


class ConcurrencySpec(Spec):
    """A group of which GitHub runs one job at a time."""

    noun: ClassVar[str] = "a concurrency group"

    group: Text
    """The group's name.

    group = "deploy"
    """
    cancel_in_progress: bool = False
    """Whether a new job ends the one that runs.

    cancel-in-progress = true
    """


Concurrency = Annotated[
    Annotated[Text, Tag("text")] | Annotated[ConcurrencySpec, Tag("group")],
    by_form(by_key("group", text=True), "a concurrency group is text, or a table with `group`"),
]
Labels = Annotated[
    Annotated[Text, Tag("text")] | Annotated[list[Text], Field(min_length=1), Tag("list")],
    by_form(
        by_type(text=str, list=list),
        "expected a label or a list of labels",
    ),
]


class PagesSpec(Spec):
    """A site that is published on GitHub Pages."""

    noun: ClassVar[str] = "a table of Pages settings"

    path: Path
    """The folder that the job builds.

    path = "site/dist"
    """
    environment: Text = "github-pages"
    """The deployment environment.

    environment = "github-pages"
    """


class GithubJobSpec(Spec):
    """What the generated GitHub job needs."""

    noun: ClassVar[str] = "a table of GitHub settings"

    permissions: PermissionsSpec = Field(default_factory=PermissionsSpec)
    """What its token may do.

    permissions = { contents = "read", packages = "write" }
    """
    runs_on: Labels | None = None
    """The labels of its runner.

    runs-on = "ubuntu-24.04"
    """
    runs_on_matrix: Annotated[list[Labels], Field(min_length=1)] | None = None
    """Runners: one job for each.

    runs-on-matrix = ["ubuntu-24.04", "macos-15"]
    """
    timeout_minutes: Annotated[int, Field(ge=1, le=43200)] | None = None
    """When GitHub ends it.

    timeout-minutes = 20
    """
    concurrency: Concurrency | None = None
    """Jobs of one group run one at a time.

    concurrency = { group = "deploy", cancel-in-progress = false }
    """
    pages: PagesSpec | None = None
    """A site that the job builds, published on GitHub Pages.

    pages = { path = "site/dist" }
    """

    @model_validator(mode="after")
    def _one_runner(self) -> Self:
        if self.pages is not None and self.runs_on_matrix is not None:
            message = "a site is built by one job, and `runs-on-matrix` makes several"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="pages", beside="runs-on-matrix")
        if self.runs_on is not None and self.runs_on_matrix is not None:
            message = "a job has `runs-on` or `runs-on-matrix`, not both"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="runs-on-matrix", beside="runs-on")
        return self


class JobRequiresSpec(Spec):
    """What a job needs of its back end."""

    noun: ClassVar[str] = "a table of requirements"

    provenance: bool = False
    """A token that proves who built.

    provenance = true
    """


Targets = Annotated[
    Annotated[Text, Tag("text")] | Annotated[list[Text], Field(min_length=1), Tag("list")],
    by_form(
        by_type(text=str, list=list),
        "a target is a task or a list of tasks",
    ),
]


def _distinct(params: dict[str, Any]) -> dict[str, Any]:
    taken: dict[str, str] = {}
    for name in params:
        exported = name.upper().replace("-", "_")
        if taken.setdefault(exported, name) != name:
            message = (
                f"`{taken[exported]}` and `{name}` would both be the variable "
                f"`PIPEC_PARAM_{exported}`"
            )
            raise refusal(Code.CONFLICTING_FIELDS, message, key=name, beside=taken[exported])
    return params


class JobSpec(Spec):
    """A job: a named entry point, its targets and its triggers."""

    noun: ClassVar[str] = "a job"

    target: Targets
    """A task, or a list of tasks.

    target = ["lint", "test"]
    """
    description: str = ""
    """What it is for.

    description = "What every change has to pass"
    """
    trigger: list[Text] = Field(default_factory=list)
    """When it runs by itself: names of `[triggers]`.

    trigger = ["pr", "main"]
    """
    environment: Deployment | None = None
    """The deployment environment of GitHub.

    environment = { name = "production", url = "https://shop.example.com" }
    """
    requires: JobRequiresSpec = Field(default_factory=JobRequiresSpec)
    """What it needs of its back end.

    requires = { provenance = true }
    """
    env: Env = Field(default_factory=dict)
    """Environment of its tasks, over the pipeline's.

    env = { STAGE = "production" }
    """
    execution: Id | None = None
    """The profile of `[execution]` that it runs by.

    execution = "ci"
    """
    mode: Literal["manual", "ci"] | None = None
    """Who starts it in generated CI: `manual` also by hand, `ci` never by hand.

    mode = "ci"
    """
    params: Annotated[dict[Id, Param], AfterValidator(_distinct)] = Field(default_factory=dict)
    """Parameters, given as `--param name=value`.

    params = { stage = { type = "choice", choices = ["staging", "production"] }, dry = "bool" }
    """
    timeout: Duration | None = None
    """How long it may take.

    timeout = "30m"
    """
    needs: list[Text] = Field(default_factory=list)
    """Jobs that have to pass before it, in generated CI.

    needs = ["verify"]
    """
    github: GithubJobSpec = Field(default_factory=GithubJobSpec)
    """What the generated GitHub job needs.

    github = { permissions = { contents = "read" }, runs-on = "ubuntu-24.04" }
    """
