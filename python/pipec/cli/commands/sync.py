"""`pipec sync`: generated files that the pipeline keeps current."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from pipec.backends.files import GeneratedFile, write_files
from pipec.cli.documents import (
    CheckDocument,
    FoundProblem,
    SyncCheckDocument,
    SyncedDrift,
    SyncedFile,
    SyncListDocument,
    print_document,
)
from pipec.cli.generating import KINDS, Drifted, Generation
from pipec.cli.invocation import Invocation
from pipec.cli.parameters import DryRun, Format, command_app, examples, invocation_of
from pipec.cli.report.github import render_annotations
from pipec.cli.report.repository import path_in_repository
from pipec.cli.report.sarif import describe_sarif
from pipec.cli.report.words import plural
from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import PlanError
from pipec.frontend.discover import Found
from pipec.frontend.render import render
from pipec.runtime.visible import visible

app = command_app(help="Keep generated files current.")
tasks = command_app(help="Keep scripts of package managers current.")
app.add_typer(tasks, name="tasks")
github = command_app(help="Keep the workflow of GitHub current; `pipec github` has more.")
app.add_typer(github, name="github")

NOT_CURRENT = 1
_VERBS = {"missing": "wrote", "different": "updated", "left-over": "removed"}

CheckFormat = Annotated[
    Literal["text", "json", "sarif", "github"],
    typer.Option("--format", help="For people, programs, code scanning, GitHub annotations."),
]
Adopt = Annotated[
    bool,
    typer.Option("--adopt", help="Take over scripts that are there as they would be written."),
]


@app.command("list", epilog=examples("pipec sync list", "pipec sync list --format json"))
def list_all(context: typer.Context, *, format: Format = "text") -> None:  # noqa: A002
    """List the generated files."""
    _list(invocation_of(context), None, format)


@app.command("generate", epilog=examples("pipec sync generate", "pipec sync generate --dry"))
def generate_all(context: typer.Context, *, dry: DryRun = False) -> None:
    """Write every generated file, or none if one of them cannot be written."""
    _generate(invocation_of(context), None, dry=dry, adopt=False)


@app.command("check", epilog=examples("pipec sync check", "pipec sync check --format json"))
def check_all(context: typer.Context, *, format: CheckFormat = "text") -> int:  # noqa: A002
    """Check that every generated file is current. Exits with 1 if one is not."""
    return _check(invocation_of(context), None, format)


@tasks.command(
    "list", epilog=examples("pipec sync tasks list", "pipec sync tasks list --format json")
)
def list_tasks(context: typer.Context, *, format: Format = "text") -> None:  # noqa: A002
    """List the scripts and the files that they are in."""
    _list(invocation_of(context), "tasks", format)


@tasks.command(
    "generate",
    epilog=examples(
        "pipec sync tasks generate",
        "pipec sync tasks generate --dry      say which files would change",
        "pipec sync tasks generate --adopt    after the lock was lost",
    ),
)
def generate_tasks(context: typer.Context, *, dry: DryRun = False, adopt: Adopt = False) -> None:
    """Write the scripts into their files. Nothing else in the files changes.

    A script that pipec did not write is never overwritten: then no file is changed.
    """
    _generate(invocation_of(context), "tasks", dry=dry, adopt=adopt)


@tasks.command(
    "check",
    epilog=examples(
        "pipec sync tasks check",
        "pipec sync tasks check --format github    annotations in a workflow of GitHub",
        "pipec sync tasks check --format sarif > drift.sarif",
    ),
)
def check_tasks(context: typer.Context, *, format: CheckFormat = "text") -> int:  # noqa: A002
    """Check that every script is current, and say why not. Exits with 1 if one is not."""
    return _check(invocation_of(context), "tasks", format)


@github.command("list", epilog=examples("pipec sync github list"))
def list_github(context: typer.Context, *, format: Format = "text") -> None:  # noqa: A002
    """List the files of the workflow."""
    _list(invocation_of(context), "github", format)


@github.command("generate", epilog=examples("pipec sync github generate"))
def generate_github(context: typer.Context, *, dry: DryRun = False) -> None:
    """Write the workflow, its lock, and the file of pinned actions."""
    _generate(invocation_of(context), "github", dry=dry, adopt=False)


@github.command("check", epilog=examples("pipec sync github check"))
def check_github(context: typer.Context, *, format: CheckFormat = "text") -> int:  # noqa: A002
    """Check that the workflow is current, and say why not. Exits with 1 if it is not."""
    return _check(invocation_of(context), "github", format)


@dataclass(frozen=True, slots=True)
class _Planned:
    """The kinds that the pipeline asks for, by name."""

    found: Found
    kinds: dict[str, Generation]

    @property
    def writes(self) -> tuple[GeneratedFile, ...]:
        return tuple(file for kind in self.kinds.values() for file in kind.writes)

    @property
    def drifted(self) -> tuple[Drifted, ...]:
        return tuple(drift for kind in self.kinds.values() for drift in kind.drifted)


def _plan(invocation: Invocation, only: str | None, *, adopt: bool = False) -> _Planned:
    found, pipeline = invocation.load()
    planned = {
        name: plan(found, pipeline, adopt)
        for name, plan in KINDS.items()
        if only is None or name == only
    }
    return _Planned(found, {name: kind for name, kind in planned.items() if kind is not None})


def _list(invocation: Invocation, only: str | None, form: str) -> None:
    planned = _plan(invocation, only)
    files = tuple(
        SyncedFile(kind=name, path=file.path, what=file.what, scripts=file.scripts or None)
        for name, kind in planned.kinds.items()
        for file in kind.kept
    )
    if form == "json":
        print_document(invocation.console, SyncListDocument(files=files))
        return
    if not planned.kinds:
        invocation.console.say(_not_configured(only))
    for file in files:
        invocation.console.data(f"{visible(file.path)}  {file.what}\n")
        for script, command in (file.scripts or {}).items():
            invocation.console.data(f"  {script}  {visible(command)}\n")


def _generate(invocation: Invocation, only: str | None, *, dry: bool, adopt: bool) -> None:
    planned = _configured(_plan(invocation, only, adopt=adopt), only)
    console, root = invocation.console, planned.found.root
    if dry:
        for file in planned.writes:
            verb = "remove" if file.content is None else "write"
            console.data(f"would {verb} {visible(file.path)}\n")
    else:
        for written in write_files(root, planned.writes):
            console.say(f"{_VERBS[written.state]} {visible(written.path)}")
    if not planned.writes:
        console.say("everything is current")


def _check(invocation: Invocation, only: str | None, form: str) -> int:
    planned = _configured(_plan(invocation, only), only)
    drifted, console = planned.drifted, invocation.console
    if form == "json":
        drifts = tuple(
            SyncedDrift(
                code=drift.code, verdict=drift.verdict, path=drift.path, message=drift.message
            )
            for drift in drifted
        )
        print_document(console, SyncCheckDocument(is_current=not drifts, drifts=drifts))
    elif form == "sarif":
        print_document(console, describe_sarif(*_by_file(planned.found, drifted, only)))
    elif form == "github":
        documents = _by_file(planned.found, drifted, only)
        console.data("".join(map(render_annotations, documents)))
    elif drifted:
        findings = [Finding(drift.code, drift.message) for drift in drifted[:-1]]
        last = drifted[-1]
        findings.append(Finding(last.code, last.message, help=(_remedy(only),)))
        console.complain(render(findings, None, color=console.color).rstrip("\n"))
    else:
        kept = sum(len(kind.kept) for kind in planned.kinds.values())
        console.data(f"{plural(kept, 'file')}: current\n")
    return NOT_CURRENT if drifted else 0


def _by_file(found: Found, drifted: Sequence[Drifted], only: str | None) -> Iterator[CheckDocument]:
    """The same as findings, for the printers of findings: a document for each file."""
    import os

    for path in dict.fromkeys(drift.path for drift in drifted):
        problems = tuple(
            FoundProblem(
                code=drift.code,
                severity="error",
                message=drift.message,
                help=(_remedy(only),),
                places=(),
            )
            for drift in drifted
            if drift.path == path
        )
        shown = path_in_repository(os.path.join(found.root, path), shown=path)
        yield CheckDocument(path=shown, errors=len(problems), warnings=0, findings=problems)


def _remedy(only: str | None) -> str:
    command = " ".join(("pipec sync", *([only] if only else ()), "generate"))
    return f"`{command}` brings everything up to date"


def _configured(planned: _Planned, only: str | None) -> _Planned:
    if not planned.kinds:
        raise PlanError(Code.SYNC_NOT_CONFIGURED, _not_configured(only), help=_how(only))
    return planned


def _not_configured(only: str | None) -> str:
    section = "sync" if only is None else f"sync.{only}"
    return f"the pipeline asks for no generated files: it has no `{section}`"


def _how(only: str | None) -> Sequence[str]:
    return (f"`[sync]` with `{only or 'tasks'} = true` asks for them",)
