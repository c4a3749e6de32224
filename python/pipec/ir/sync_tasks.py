"""The scripts of package managers that are kept current."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipec.ir.job import JobId

RUNNERS = ("package", "deno", "poe", "pixi", "make", "just")
"""The tools that can call a script, by the names of the language."""

_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "package.json": ("package",),
    "deno.json": ("deno",),
    "deno.jsonc": ("deno",),
    "pyproject.toml": ("poe", "pixi"),
    "pixi.toml": ("pixi",),
    "makefile": ("make",),
    "gnumakefile": ("make",),
    "justfile": ("just",),
    ".justfile": ("just",),
}
_BY_EXTENSION: Mapping[str, tuple[str, ...]] = {".mk": ("make",), ".just": ("just",)}


def runners_of(path: str) -> tuple[str, ...]:
    """The runners that read scripts from a file of this name; none for any other file."""
    name = posixpath.basename(path)
    known = _BY_NAME.get(name) or _BY_NAME.get(name.lower(), ())
    if known and (name == name.lower() or known in (("make",), ("just",))):
        return known
    return _BY_EXTENSION.get(posixpath.splitext(name)[1], ())


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncTarget:
    """A file to keep current, by its path or by the name of its package.

    An empty `runner`: the file decides.
    """

    path: str = ""
    package: str = ""
    runner: str = ""
    allow_multiple: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncTasks:
    """The scripts of package managers. No targets: the files of the root that have scripts.

    `runners` are those looked for in the root. `tasks` are names of tasks, that of a task with a
    matrix means all of its combinations.
    """

    prefix: str = "pipeline"
    command: str = "pipec"
    runners: tuple[str, ...] = RUNNERS
    targets: tuple[SyncTarget, ...] = ()
    jobs: tuple[JobId, ...] = ()
    tasks: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """A script: the words of its name, what it runs, and the route of what it is for."""

    words: tuple[str, ...]
    command: str
    origin: tuple[str, ...]

    def name(self, separator: str) -> str:
        """The name, for a runner whose names have `separator` between words."""
        return separator.join(self.words)


def scripts_of(settings: SyncTasks) -> Iterator[Script]:
    """Every script: jobs, then tasks, then what is written out."""
    for job in settings.jobs:
        yield Script(
            (settings.prefix, job), f"{settings.command} run {job}", ("sync", "tasks", "jobs")
        )
    for task in settings.tasks:
        yield Script(
            (settings.prefix, "task", *task.split(".")),
            f"{settings.command} run-task {task}",
            ("sync", "tasks", "tasks"),
        )
    for name, words in settings.scripts.items():
        yield Script(
            (settings.prefix, *name.replace(".", ":").split(":")),
            f"{settings.command} {words}",
            ("sync", "tasks", "scripts", name),
        )
