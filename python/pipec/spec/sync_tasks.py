"""Scripts of package managers that call jobs and tasks, §15 of the language."""

import re
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, Field, Tag, model_validator

from pipec.codes import Code
from pipec.ir.sync_tasks import RUNNERS, runners_of
from pipec.spec.base import Spec, by_form, by_type, refusal
from pipec.spec.paths import Path
from pipec.spec.scalars import Id, Text

Runner = Literal["package", "deno", "poe", "pixi", "make", "just"]
assert get_args(Runner) == RUNNERS

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
_SCRIPT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*([:.][A-Za-z0-9_][A-Za-z0-9_-]*)*", re.ASCII)


def _prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value):
        advice = "letters, digits, `_` and `-`, a letter first: every runner takes such names"
        raise refusal(Code.INVALID_ID, f"`{value}` cannot be a prefix of scripts", advice=advice)
    return value


def _script(value: str) -> str:
    if not _SCRIPT.fullmatch(value):
        advice = "words of letters, digits, `_` and `-`, with `:` or `.` between them"
        raise refusal(Code.INVALID_ID, f"`{value}` cannot be the name of a script", advice=advice)
    return value


def _one_line(value: str) -> str:
    if not value.isprintable():
        message = "a script is one line without control characters"
        raise refusal(Code.INVALID_VALUE, message)
    return value


def _target_path(value: str) -> str:
    if not runners_of(value):
        advice = (
            "the file is a package.json, deno.json, deno.jsonc, pyproject.toml, pixi.toml, "
            "Makefile, *.mk, justfile or *.just"
        )
        message = f"`{value}` is no file that pipec can put scripts in"
        raise refusal(Code.INVALID_VALUE, message, advice=advice)
    return value


Line = Annotated[Text, AfterValidator(_one_line)]
TargetPath = Annotated[Path, AfterValidator(_target_path)]


class SyncTargetSpec(Spec):
    """A file to keep current."""

    noun: ClassVar[str] = "a target"

    path: TargetPath | None = None
    """The file.

    path = "web/package.json"
    """
    package: Text | None = None
    """The name of the package whose file it is, wherever it lies.

    package = "@acme/web"
    """
    runner: Runner | None = None
    """The tool that reads the scripts, where the file can be for several.

    runner = "poe"
    """
    allow_multiple: bool = False
    """Whether several packages may have the name.

    allow-multiple = true
    """

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.path is None and self.package is None:
            raise refusal(Code.MISSING_FIELD, "a target needs `path` or `package`")
        if self.path is not None and self.package is not None:
            message = "a target has `path` or `package`, not both"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="package", beside="path")
        if self.path is not None and self.allow_multiple:
            message = "a path is one file: `allow-multiple` is for `package`"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="allow-multiple", beside="path")
        if self.path is not None and self.runner not in (None, *runners_of(self.path)):
            message = f"`{self.path}` has no scripts of {self.runner}"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="runner", beside="path")
        return self


Target = Annotated[
    Annotated[TargetPath, Tag("str")] | Annotated[SyncTargetSpec, Tag("table")],
    by_form(by_type(str=str, table=dict), "a target is a path or a table"),
]


def _some(word: str, what: str) -> object:
    expected = f"expected `{word}` or a list of {what}"
    return by_form(by_type(word=str, list=list), expected)


class SyncTasksSpec(Spec):
    """The generated scripts of package managers."""

    noun: ClassVar[str] = "the task sync"

    prefix: Annotated[Text, AfterValidator(_prefix)] = "pipeline"
    """What script names begin with.

    prefix = "ci"
    """
    command: Line = "pipec"
    """How scripts call pipec.

    command = "uv run pipec"
    """
    runners: Annotated[
        Annotated[Literal["all"], Tag("word")]
        | Annotated[Annotated[list[Runner], Field(min_length=1)], Tag("list")],
        _some("all", "runners"),
    ] = "all"
    """The tools whose files are looked for in the root, or `all`.

    runners = ["package", "deno"]
    """
    targets: Annotated[
        Annotated[Literal["root"], Tag("word")]
        | Annotated[Annotated[list[Target], Field(min_length=1)], Tag("list")],
        _some("root", "targets"),
    ] = "root"
    """The files to keep current, or `root` for those of the root that have scripts.

    targets = ["web/package.json", "Makefile"]
    """
    jobs: Annotated[
        Annotated[Literal["all", "none"], Tag("word")] | Annotated[list[Id], Tag("list")],
        _some("all", "jobs"),
    ] = "all"
    """The jobs that get a script, `all` or `none`.

    jobs = ["verify"]
    """
    tasks: Annotated[
        Annotated[Literal["all", "none"], Tag("word")] | Annotated[list[Text], Tag("list")],
        _some("all", "tasks"),
    ] = "none"
    """The tasks that get a script, `all` or `none`.

    tasks = ["build", "web.test"]
    """
    scripts: dict[Annotated[str, AfterValidator(_script)], Line] = Field(default_factory=dict)
    """More scripts, by name: what to say to pipec.

    scripts = { again = "run verify --force" }
    """
