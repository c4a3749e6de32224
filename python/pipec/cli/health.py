"""What pipec needs and finds on this machine and in this project: one function a check."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

from pipec import _core
from pipec.cli.concurrency import look_at_cores
from pipec.cli.documents import HealthCheck
from pipec.cli.invocation import Invocation, state_folder
from pipec.cli.report.words import plural, size
from pipec.cli.settings import find_settings
from pipec.errors import PipecError, SpecError
from pipec.frontend.discover import Found
from pipec.ir.pipeline import Pipeline
from pipec.runtime import environment
from pipec.runtime.evidence.reading import read_run
from pipec.runtime.lock import active_holder
from pipec.runtime.records import list_runs
from pipec.runtime.requirements import has_program
from pipec.runtime.visible import visible

_LITTLE_SPACE = 512 * 1024 * 1024
_EXTRAS = {"edit": "tomlkit", "mcp": "mcp", "otel": "opentelemetry.sdk"}


def examine(invocation: Invocation) -> tuple[HealthCheck, ...]:
    """Everything, the machine first; without a project only the machine. Changes nothing."""
    checks = [*_machine(invocation)]
    try:
        found = invocation.find()
    except PipecError as error:
        return (*checks, HealthCheck(name="pipeline", status="absent", found=error.message))
    for look in _OF_A_PROJECT:
        checks += look(invocation, found)
    return tuple(checks)


def _machine(invocation: Invocation) -> Iterator[HealthCheck]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield _ok("pipec", f"{_core.VERSION} on Python {version}, {sys.platform}")
    cores = look_at_cores()
    yield _ok("cores", f"{cores.usable} usable of {os.cpu_count()}")
    yield _program("git", invocation, "`pipec diff` and the commits of `pipec why` need it")
    yield _program("strace", invocation, "`pipec audit` needs it to see what a task reads")
    for extra, module in _EXTRAS.items():
        yield _extra(extra, module)
    for setting in find_settings(invocation):
        if setting.problem and setting.name not in ("pipeline", "store file"):
            yield HealthCheck(
                name=f"setting {setting.name}", status="warning", found=setting.problem
            )


def _extra(extra: str, module: str) -> HealthCheck:
    try:
        is_there = importlib.util.find_spec(module) is not None
    except ImportError:
        is_there = False
    if is_there:
        return _ok(f"extra {extra}", "installed")
    return HealthCheck(
        name=f"extra {extra}",
        status="absent",
        found="not installed",
        advice=f"`pip install 'pipec[{extra}]'` installs it",
    )


def _program(name: str, invocation: Invocation, purpose: str) -> HealthCheck:
    path = shutil.which(name, path=invocation.environ.get("PATH"))
    if path is None:
        return HealthCheck(name=name, status="absent", found="not on the path", advice=purpose)
    return _ok(name, _version_of(path))


def _version_of(path: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a program of the user's path, asked for its version
            [path, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return path
    number = re.search(r"\d+(?:\.\d+)+", done.stdout.decode("utf-8", "replace"))
    return number[0] if number else path


def _pipeline(invocation: Invocation, found: Found) -> Iterator[HealthCheck]:
    try:
        _, compiled = invocation.compile()
        _, pipeline = invocation.load()
    except SpecError as error:
        more = f" (and {len(error.findings) - 1} more)" if len(error.findings) > 1 else ""
        yield HealthCheck(
            name="pipeline",
            status="error",
            found=f"{visible(found.shown)}: {error.message}{more}",
            advice="`pipec check` shows where",
        )
        return
    tasks, jobs = plural(len(pipeline.tasks), "task"), plural(len(pipeline.jobs), "job")
    words = f"{visible(found.shown)}: {tasks}, {jobs}"
    if compiled.warnings:
        yield HealthCheck(
            name="pipeline",
            status="warning",
            found=f"{words}, {plural(len(compiled.warnings), 'warning')}",
            advice="`pipec check` shows them",
        )
    else:
        yield _ok("pipeline", words)
    yield from _tools(invocation, pipeline, found)
    yield from _secrets(invocation, pipeline)


def _tools(invocation: Invocation, pipeline: Pipeline, found: Found) -> Iterator[HealthCheck]:
    wanted: dict[str, list[str]] = {}
    for task in pipeline.tasks.values():
        for tool in task.requires.tools:
            seen = environment.host_part(task, invocation.environ)
            if not has_program(tool, seen, f"{found.root}/{task.cwd}"):
                wanted.setdefault(tool, []).append(task.id)
    for tool, tasks in sorted(wanted.items()):
        yield HealthCheck(
            name=f"tool {visible(tool)}",
            status="error",
            found="not on the path",
            advice=f"required by {_few(tasks)}",
        )


def _secrets(invocation: Invocation, pipeline: Pipeline) -> Iterator[HealthCheck]:
    wanted: dict[str, list[str]] = {}
    for task in pipeline.tasks.values():
        for name in task.requires.secrets:
            if not invocation.environ.get(name):
                wanted.setdefault(name, []).append(task.id)
    for name, tasks in sorted(wanted.items()):
        # Not an error: most work on a machine needs no secret of a release.
        yield HealthCheck(
            name=f"secret {visible(name)}",
            status="warning",
            found="not set",
            advice=f"required by {_few(tasks)}",
        )


def _state(_: Invocation, found: Found) -> Iterator[HealthCheck]:
    folder = state_folder(found)
    nearest = folder if os.path.isdir(folder) else found.root
    if not os.access(nearest, os.W_OK | os.X_OK):
        yield HealthCheck(
            name="state",
            status="error",
            found=f"{visible(nearest)} cannot be written",
            advice="records and the cache are kept there",
        )
        return
    free = shutil.disk_usage(nearest).free
    if free < _LITTLE_SPACE:
        yield HealthCheck(
            name="state",
            status="warning",
            found=f"{visible(nearest)}: only {size(free)} free",
            advice="`pipec gc` frees some of it",
        )
    else:
        yield _ok("state", f"{visible(nearest)}: {size(free)} free")


def _runs(_: Invocation, found: Found) -> Iterator[HealthCheck]:
    holder = active_holder(found.root)
    active = holder.run_id if holder else ""
    unreadable, crashed = [], []
    runs = list_runs(found.root)
    for run in runs:
        record = read_run(found.root, run)
        if record is None:
            unreadable.append(run)
        elif record.status == "running" and run != active:
            crashed.append(run)
    if holder is not None:
        yield _ok("lock", f"held by process {holder.pid} ({holder.action})")
    if unreadable:
        yield HealthCheck(
            name="runs",
            status="warning",
            found=f"{plural(len(unreadable), 'record')} cannot be read: {_few(unreadable)}",
            advice="`pipec gc` removes old ones",
        )
    if crashed:
        yield HealthCheck(
            name="runs",
            status="warning",
            found=f"{plural(len(crashed), 'run')} never ended: {_few(crashed)}",
            advice="the next run closes the record of the last one",
        )
    if not unreadable and not crashed:
        yield _ok("runs", f"{plural(len(runs), 'record')}")


def _few(names: list[str]) -> str:
    shown = ", ".join(f"`{visible(name)}`" for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"  # noqa: PLR2004


def _ok(name: str, found: str) -> HealthCheck:
    return HealthCheck(name=name, status="ok", found=found)


_OF_A_PROJECT: tuple[Callable[[Invocation, Found], Iterator[HealthCheck]], ...] = (
    _pipeline,
    _state,
    _runs,
)
