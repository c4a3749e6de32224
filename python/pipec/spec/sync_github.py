"""The generated GitHub workflow, §15 of the language."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, Tag, model_validator

from pipec.codes import Code
from pipec.spec.base import Spec, by_form, by_key, by_type, refusal
from pipec.spec.job import Labels
from pipec.spec.paths import Path
from pipec.spec.scalars import Id, Text

Commands = Annotated[
    Annotated[Literal[False], Tag("bool")]
    | Annotated[Text, Tag("text")]
    | Annotated[list[Text], Field(min_length=1), Tag("list")],
    by_form(
        by_type(bool=bool, text=str, list=list), "expected a command, a list of commands, or false"
    ),
]


class ToolchainSpec(Spec):
    """How one toolchain is made ready."""

    noun: ClassVar[str] = "a toolchain"

    version: Text | None = None
    """Its version; unless given, what a file of the repository says, else a default of pipec.

    version = "24"
    """
    version_file: Path | None = None
    """The file of the repository that says the version.

    version-file = ".tool-versions"
    """
    install: Commands | None = None
    """What installs the dependencies instead; `false`: nothing.

    install = "make install"
    """

    @model_validator(mode="after")
    def _one_version(self) -> Self:
        if self.version is not None and self.version_file is not None:
            message = "a toolchain has `version` or `version-file`, not both"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="version-file", beside="version")
        return self


class PythonSetupSpec(ToolchainSpec):
    """Python."""

    noun: ClassVar[str] = "the set-up of Python"

    manager: Literal["uv", "pip"] | None = None
    """Who installs; unless given, uv where there is a `uv.lock`, else pip.

    manager = "uv"
    """


class NodeSetupSpec(ToolchainSpec):
    """Node."""

    noun: ClassVar[str] = "the set-up of Node"

    manager: Literal["pnpm", "npm", "yarn", "bun"] | None = None
    """Who installs; unless given, `packageManager` of package.json or the lock file tells.

    manager = "pnpm"
    """
    manager_version: Text | None = None
    """The version of pnpm or Bun, where `packageManager` of package.json does not say it.

    manager-version = "10"
    """


class DenoSetupSpec(ToolchainSpec):
    """Deno."""

    noun: ClassVar[str] = "the set-up of Deno"


class RustSetupSpec(ToolchainSpec):
    """Rust."""

    noun: ClassVar[str] = "the set-up of Rust"


class GoSetupSpec(ToolchainSpec):
    """Go."""

    noun: ClassVar[str] = "the set-up of Go"


class JavaSetupSpec(ToolchainSpec):
    """Java."""

    noun: ClassVar[str] = "the set-up of Java"

    distribution: Text = "temurin"
    """Whose build of it.

    distribution = "zulu"
    """


class SetupSpec(Spec):
    """The toolchains that jobs need, and nothing else: a table for each, empty for its defaults."""

    noun: ClassVar[str] = "a set-up"

    python: PythonSetupSpec | None = None
    """Python, with uv or pip.

    python = { version = "3.13", manager = "uv" }
    """
    node: NodeSetupSpec | None = None
    """Node, with pnpm, npm, yarn or bun.

    node = { version = "24", manager = "pnpm" }
    """
    deno: DenoSetupSpec | None = None
    """Deno.

    deno = { version = "2" }
    """
    rust: RustSetupSpec | None = None
    """Rust, with rustup.

    rust = { version-file = "rust-toolchain.toml" }
    """
    go: GoSetupSpec | None = None
    """Go.

    go = { version-file = "go.mod" }
    """
    java: JavaSetupSpec | None = None
    """Java.

    java = { version = "25", distribution = "temurin" }
    """


ToolchainName = Literal["python", "node", "deno", "rust", "go", "java"]
Setup = Annotated[
    Annotated[Literal["auto", "none"], Tag("text")]
    | Annotated[list[ToolchainName], Tag("list")]
    | Annotated[SetupSpec, Tag("table")],
    by_form(
        by_type(text=str, list=list, table=dict),
        "a set-up is `auto`, `none`, a list of toolchains, or a table of them",
    ),
]


class LockedInstallSpec(Spec):
    """pipec from a package index, by a file of requirements that locks every hash."""

    noun: ClassVar[str] = "an installation"

    requirements: Path
    """The file, from the top of the repository.

    requirements = ".github/pipec.requirements.txt"
    """


class BuiltInstallSpec(Spec):
    """pipec from the sources of the repository itself."""

    noun: ClassVar[str] = "an installation"

    run: Annotated[
        Annotated[Text, Tag("text")] | Annotated[list[Text], Field(min_length=1), Tag("list")],
        by_form(by_type(text=str, list=list), "expected a command or a list of commands"),
    ]
    """What builds it.

    run = ["make develop"]
    """
    path: list[Text] = Field(default_factory=list)
    """Folders of the repository where programs are found afterwards.

    path = [".venv/bin"]
    """


Install = Annotated[
    Annotated[Literal["preinstalled"], Tag("text")]
    | Annotated[LockedInstallSpec, Tag("requirements")]
    | Annotated[BuiltInstallSpec, Tag("run")],
    by_form(
        by_key("requirements", "run", text=True),
        "an installation is `preinstalled`, or a table with `requirements` or `run`",
    ),
]


class CiCacheSpec(Spec):
    """What is kept between runs."""

    noun: ClassVar[str] = "a table of CI caches"

    tasks: bool = True
    """Results of tasks.

    tasks = false
    """
    dependencies: bool = False
    """What the package managers download.

    dependencies = true
    """


CiCache = Annotated[
    Annotated[bool, Tag("bool")] | Annotated[CiCacheSpec, Tag("table")],
    by_form(by_type(bool=bool, table=dict), "expected true, false or a table"),
]


def _workflow_file(value: str) -> str:
    folder, _, name = value.rpartition("/")
    if folder != ".github/workflows" or not name.endswith((".yml", ".yaml")):
        advice = "write `.github/workflows/NAME.yml`"
        raise refusal(Code.INVALID_VALUE, f"GitHub finds no workflow at `{value}`", advice=advice)
    return value


WorkflowPath = Annotated[Path, AfterValidator(_workflow_file)]


class SyncGithubSpec(Spec):
    """The generated GitHub workflow. Paths are from the top of the repository."""

    noun: ClassVar[str] = "the GitHub sync"

    workflow: WorkflowPath = ".github/workflows/pipec.yml"
    """The workflow file.

    workflow = ".github/workflows/ci.yml"
    """
    lock: Path = ".github/pipec.lock.json"
    """The lock file: what the workflow was made of.

    lock = ".github/ci.lock.json"
    """
    pins: WorkflowPath = ".github/workflows/pipec-pins.yml"
    """The file of pinned actions: a workflow that never runs, for update bots.

    pins = ".github/workflows/ci-pins.yml"
    """
    name: Text | None = None
    """The workflow's name; unless given, the pipeline's.

    name = "CI"
    """
    mode: Literal["jobs", "single"] = "jobs"
    """A GitHub job for each job, or one that runs whatever the event asks for.

    mode = "single"
    """
    profile: Literal["2026", "conservative"] = "2026"
    """Whether keywords are used that older linters and servers do not know.

    profile = "conservative"
    """
    install: Install = LockedInstallSpec(requirements=".github/pipec.requirements.txt")
    """How runners get pipec.

    install = { run = "make develop", path = [".venv/bin"] }
    """
    setup: Setup = "auto"
    """The toolchains of runners; `auto`: what the repository's files ask for.

    setup = ["node", "rust"]
    """
    cache: CiCache = True
    """What is kept between runs.

    cache = { tasks = true, dependencies = true }
    """
    gate: (
        Annotated[
            Annotated[Literal[False], Tag("bool")] | Annotated[Id, Tag("text")],
            by_form(by_type(bool=bool, text=str), "expected the id of a job, or false"),
        ]
        | None
    ) = None
    """The job that fails unless every other passed or was not asked for; `pipec` unless given.

    gate = "all-green"
    """
    runs_on: Labels = "ubuntu-24.04"
    """The labels of the runner of jobs that name none.

    runs-on = ["self-hosted", "linux"]
    """
    timeout_minutes: Annotated[int, Field(ge=1, le=43200)] = 30
    """When GitHub ends a job that has no timeout of its own.

    timeout-minutes = 20
    """
    concurrency: bool = True
    """Whether a newer run of the same branch waits for, or of a pull request replaces, an older.

    concurrency = false
    """
    merge_group: bool = True
    """Whether what runs for a pull request also runs for its place in a merge queue.

    merge-group = false
    """
