"""Every setting that influences pipec, and where each came from."""

import os
from collections.abc import Iterator, Mapping

from pipec import _core
from pipec.cli.concurrency import Cores, look_at_cores
from pipec.cli.console import choose_color
from pipec.cli.documents import Setting
from pipec.cli.invocation import Invocation, state_folder
from pipec.cli.options import UsageError
from pipec.cli.report.words import plural, size
from pipec.cli.run import number_from, platform_name
from pipec.errors import SpecError
from pipec.frontend.compiled import Compiled
from pipec.frontend.discover import Found
from pipec.frontend.read import read_values
from pipec.ir.codec import decode
from pipec.ir.pipeline import Pipeline
from pipec.runtime.request import KEEP_RUNS, MAX_LOG_BYTES
from pipec.runtime.stores import SESSION_VARIABLE
from pipec.runtime.stores import state_folder as store_folder

IDENTITY = "PIPEC_IDENTITY"
"""Read by the core, which knows the same name."""

_DEFAULT = "default"
_TOLD_TO_TASKS = ("PIPEC_ROOT", "PIPEC_TASK", "PIPEC_RUN_ID", "PIPEC_ATTEMPT")
_TOLD_PREFIXES = ("PIPEC_MATRIX_", "PIPEC_PARAM_")
_READ = (
    "PIPEC_KEEP_RUNS",
    "PIPEC_MAX_LOG_BYTES",
    "PIPEC_MAX_WATCHES",
    SESSION_VARIABLE,
    IDENTITY,
    "PIPEC_DEBUG",
    "PIPEC_PAGER",
)


def find_settings(invocation: Invocation) -> tuple[Setting, ...]:
    """All settings; what is wrong with one of them is said with it."""
    return tuple(_settings(invocation))


def _settings(invocation: Invocation) -> Iterator[Setting]:
    yield Setting(name="version", value=_core.VERSION, source="the installed pipec")
    yield Setting(name="platform", value=platform_name(), source="the operating system")
    given = invocation.settings.directory
    source = "the working directory" if given is None else f"-C {given}"
    yield Setting(name="folder", value=os.path.abspath(invocation.start), source=source)
    yield from _project(invocation)
    cores = look_at_cores()
    yield Setting(name="concurrency", value=str(cores.usable), source=_core_words(cores))
    yield _number(invocation, "keep-runs", "PIPEC_KEEP_RUNS", KEEP_RUNS)
    yield _number(invocation, "max-log-bytes", "PIPEC_MAX_LOG_BYTES", MAX_LOG_BYTES)
    yield _number(invocation, "max-watches", "PIPEC_MAX_WATCHES", 0)
    yield _identity(invocation)
    outer = invocation.environ.get(SESSION_VARIABLE)
    yield Setting(
        name="session-store",
        value=outer or None,
        source=f"variable {SESSION_VARIABLE}" if outer else "made for each run",
    )
    is_colored, reason = choose_color(
        invocation.settings.color, invocation.environ, invocation.console.err
    )
    yield Setting(name="color", value=_yes(is_colored), source=reason)
    yield pager(invocation.environ)
    yield _flag("quiet", is_set=invocation.settings.is_quiet)
    yield _flag("verbose", is_set=invocation.settings.is_verbose)
    debug = invocation.environ.get("PIPEC_DEBUG")
    yield Setting(
        name="debug",
        value=_yes(debug == "1"),
        source="variable PIPEC_DEBUG" if debug else _DEFAULT,
    )
    for name in sorted(invocation.environ):
        if _is_unread(name):
            # Not its value: nobody knows what is in it.
            yield Setting(
                name=name,
                source="the environment",
                problem="pipec does not read this variable",
            )


def pager(environ: Mapping[str, str]) -> Setting:
    """What `pipec runs open` shows a log with: a command line."""
    for name in ("PIPEC_PAGER", "PAGER"):
        if environ.get(name):
            return Setting(name="pager", value=environ[name], source=f"variable {name}")
    return Setting(name="pager", value="less", source=_DEFAULT)


def _identity(invocation: Invocation) -> Setting:
    """What makes a file the one whose digest is known."""
    given = invocation.environ.get(IDENTITY, "")
    is_known = given in ("", "exact", "relaxed")
    return Setting(
        name="identity",
        value="relaxed" if given == "relaxed" else "exact",
        source=f"variable {IDENTITY}" if given else _DEFAULT,
        problem=None if is_known else f"`{given}` is neither `exact` nor `relaxed`",
    )


def _project(invocation: Invocation) -> Iterator[Setting]:
    given = invocation.settings.file
    source = "the nearest folder upwards" if given is None else f"-f {given}"
    try:
        found = invocation.find()
    except SpecError as error:
        yield Setting(name="pipeline", source=source, problem=error.message)
        return
    if given is None:
        source = _distance(invocation.start, found)
    yield Setting(name="pipeline", value=found.path, source=source)
    yield Setting(name="root", value=found.root, source="the folder of the pipeline")
    state = state_folder(found)
    is_there = "" if os.path.isdir(state) else ", made by the first run"
    yield Setting(name="state", value=state, source=f"always in the root{is_there}")
    built_in = store_folder(found.root)
    try:
        _, compiled = invocation.compile()
    except SpecError as error:
        problem = f"the pipeline cannot be read: {error.message}"
        yield Setting(name="store file", value=built_in, source="built in", problem=problem)
        return
    yield from _of_pipeline(found, compiled, built_in)


def _of_pipeline(found: Found, compiled: Compiled, built_in: str) -> Iterator[Setting]:
    """The settings that a pipeline file has; its name, tasks and jobs are no settings."""
    pipeline = decode(compiled.pipeline_bytes)
    written = read_values(compiled.document)
    origin = f"{found.shown}: "
    yield Setting(
        name="env-mode",
        value=str(written.get("env-mode", "loose")),
        source=f"{origin}env-mode" if "env-mode" in written else _DEFAULT,
    )
    yield Setting(
        name="cache",
        value=pipeline.cache.default,
        source=f"{origin}cache" if "cache" in written else _DEFAULT,
    )
    if "file" not in pipeline.cache.stores:
        yield Setting(name="store file", value=built_in, source="built in")
    if "memory" not in pipeline.cache.stores:
        yield Setting(name="store memory", value="goes with the process", source="built in")
    yield from _stores(found, pipeline, origin)
    for name, limit in pipeline.pools.items():
        yield Setting(name=f"pool {name}", value=str(limit), source=f"{origin}pools.{name}")


def _stores(found: Found, pipeline: Pipeline, origin: str) -> Iterator[Setting]:
    for name, store in pipeline.cache.stores.items():
        kind, settings = next(iter(store.items()))
        value = kind
        if kind == "file":
            root = settings.get("root")
            value = os.path.join(found.root, root) if root else store_folder(found.root)
            limit = settings.get("max-size")
            value += "" if limit is None else f", at most {size(limit)}"
        yield Setting(name=f"store {name}", value=value, source=f"{origin}cache.stores.{name}")


def _distance(start: str, found: Found) -> str:
    """Where the search, which goes upwards, has found the file."""
    way = os.path.relpath(found.root, os.path.abspath(start))
    if way == ".":
        return "found in the folder"
    return f"found {plural(way.count('..'), 'folder')} above"


def _core_words(cores: Cores) -> str:
    limit = "affinity of the process" if cores.has_affinity else "machine"
    words = f"{plural(cores.bound, 'core')} by the {limit}"
    if cores.quota is None:
        return words
    return f"{words}, {cores.quota} by the quota of the control group"


def _number(invocation: Invocation, name: str, variable: str, default: int) -> Setting:
    source = f"variable {variable}" if invocation.environ.get(variable) else _DEFAULT
    try:
        number = number_from(invocation, variable, default)
    except UsageError as error:
        return Setting(
            name=name,
            value=invocation.environ[variable],
            source=source,
            problem=f"{error.message}: {error.help[0]}",
        )
    return Setting(name=name, value=str(number), source=source)


def _flag(name: str, *, is_set: bool) -> Setting:
    return Setting(name=name, value=_yes(is_set), source=f"--{name}" if is_set else _DEFAULT)


def _is_unread(name: str) -> bool:
    """Whether somebody may have meant it for pipec: a misspelt name does nothing in silence."""
    if not name.startswith("PIPEC_") or name.startswith(_TOLD_PREFIXES):
        return False
    return name not in _TOLD_TO_TASKS and name not in _READ


def _yes(is_so: bool) -> str:  # noqa: FBT001 - it is spelled, not obeyed
    return "yes" if is_so else "no"
