"""Jobs, §7 of the language."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, Tag, model_validator

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
    """What its values are."""
    default: Any = None
    """Its value when it is not given."""
    description: str = ""
    """What it is for."""
    choices: Annotated[list[Text], Field(min_length=1)] | None = None
    """The values of a `choice`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.type == "choice" and self.choices is None:
            raise refusal(Code.MISSING_FIELD, "a `choice` needs `choices`")
        if self.type != "choice" and self.choices is not None:
            message = f"only a `choice` has `choices`, and this parameter is `{self.type}`"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="choices")
        if self.default is None:
            return self
        if type(self.default) is not _TYPES[self.type]:
            message = f"the default of a parameter `{self.type}` cannot be {describe(self.default)}"
            raise refusal(Code.WRONG_TYPE, message, key="default")
        if isinstance(self.default, int) and abs(self.default) > LARGEST_INTEGER:
            raise refusal(Code.INVALID_VALUE, "this number is too large", key="default")
        if self.choices is not None and self.default not in self.choices:
            message = f"the default `{self.default}` is not one of the choices"
            raise refusal(Code.INVALID_VALUE, message, key="default")
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
    """Its name."""
    url: Text | None = None
    """Where the deployment can be seen."""


Deployment = Annotated[
    Annotated[Text, Tag("text")] | Annotated[DeploymentSpec, Tag("name")],
    by_form(by_key("name", text=True), "an environment is a name, or a table with `name`"),
]
Level = Literal["read", "write", "none"]


class PermissionsSpec(Spec):
    """What the token of a generated job may do."""

    noun: ClassVar[str] = "a table of permissions"

    actions: Level | None = None
    attestations: Level | None = None
    checks: Level | None = None
    contents: Level | None = None
    deployments: Level | None = None
    id_token: Literal["write", "none"] | None = None
    issues: Level | None = None
    packages: Level | None = None
    pages: Level | None = None
    pull_requests: Level | None = None
    security_events: Level | None = None
    statuses: Level | None = None


class ConcurrencySpec(Spec):
    """A group of which GitHub runs one job at a time."""

    noun: ClassVar[str] = "a concurrency group"

    group: Text
    """The group's name."""
    cancel_in_progress: bool = False
    """Whether a new job ends the one that runs."""


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
    """The folder that the job builds."""
    environment: Text = "github-pages"
    """The deployment environment."""


class GithubJobSpec(Spec):
    """What the generated GitHub job needs."""

    noun: ClassVar[str] = "a table of GitHub settings"

    permissions: PermissionsSpec = Field(default_factory=PermissionsSpec)
    """What its token may do."""
    runs_on: Labels | None = None
    """The labels of its runner."""
    runs_on_matrix: Annotated[list[Labels], Field(min_length=1)] | None = None
    """Runners: one job for each."""
    timeout_minutes: Annotated[int, Field(ge=1, le=43200)] | None = None
    """When GitHub ends it."""
    concurrency: Concurrency | None = None
    """Jobs of one group run one at a time."""
    pages: PagesSpec | None = None
    """A site that the job builds, published on GitHub Pages."""

    @model_validator(mode="after")
    def _one_runner(self) -> Self:
        if self.pages is not None and self.runs_on_matrix is not None:
            message = "a site is built by one job, and `runs-on-matrix` makes several"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="pages")
        if self.runs_on is not None and self.runs_on_matrix is not None:
            message = "a job has `runs-on` or `runs-on-matrix`, not both"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="runs-on-matrix")
        return self


class JobRequiresSpec(Spec):
    """What a job needs of its back end."""

    noun: ClassVar[str] = "a table of requirements"

    provenance: bool = False
    """A token that proves who built."""


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
            raise refusal(Code.CONFLICTING_FIELDS, message, key=name)
    return params


class JobSpec(Spec):
    """A job: a named entry point, its targets and its triggers."""

    noun: ClassVar[str] = "a job"

    target: Targets
    """A task, or a list of tasks."""
    description: str = ""
    """What it is for."""
    trigger: list[Text] = Field(default_factory=list)
    """When it runs by itself: names of `[triggers]`."""
    environment: Deployment | None = None
    """The deployment environment of GitHub."""
    requires: JobRequiresSpec = Field(default_factory=JobRequiresSpec)
    """What it needs of its back end."""
    env: Env = Field(default_factory=dict)
    """Environment of its tasks, over the pipeline's."""
    execution: Id | None = None
    """The profile of `[execution]` that it runs by."""
    mode: Literal["manual", "ci"] | None = None
    """Who runs it."""
    params: Annotated[dict[Id, Param], AfterValidator(_distinct)] = Field(default_factory=dict)
    """Parameters, given as `--param name=value`."""
    timeout: Duration | None = None
    """How long it may take."""
    needs: list[Text] = Field(default_factory=list)
    """Jobs that have to pass before it, in generated CI."""
    github: GithubJobSpec = Field(default_factory=GithubJobSpec)
    """What the generated GitHub job needs."""
