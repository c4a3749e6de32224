"""Compares what a task declares with what was seen of it. Plain data in, findings out."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipec.audit.patterns import selected
from pipec.audit.tool_folders import ToolFolders
from pipec.audit.tracing import Trace
from pipec.codes import Code
from pipec.ir.inputs import CommandInput, FileValueInput, OutputPattern
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task, TaskId

Field = Literal["inputs", "outputs", "depends-on"]

_SYSTEM = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/nix/store", "/opt", "/proc",
    "/run", "/sbin", "/sys", "/usr", "/var",
)  # fmt: skip
_LOCK_FILES = {
    "bun.lock", "bun.lockb", "npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml",
    "yarn.lock", "package.json",
}  # fmt: skip
_OF_A_CLONE = {".git/info/attributes", ".git/info/exclude"}
"""What a person has told git of one clone, as `~/.config/git` tells it of all."""
_PYTHON_LOCK_FILES = (
    "requirements",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock",
    "Pipfile.lock",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """One thing that a task does and does not declare, or declares and does not do.

    `path` is relative to the project, absolute outside of it. `field` and `pattern`: what would
    declare it.
    """

    code: str
    severity: Literal["error", "warning"]
    message: str
    path: str | None = None
    field: Field | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a task says of itself. `inputs`: the files that its patterns select, relative.

    `rules` maps an input file to the pattern that selects it.
    """

    root: str
    pipeline: Pipeline
    task: Task
    inputs: frozenset[str]
    rules: Mapping[str, str]
    home: str = ""
    scratch: tuple[str, ...] = ()


def compare(declared: Declared, trace: Trace) -> tuple[AuditFinding, ...]:
    """Everything that the task does and does not declare, then what it declares in vain."""
    tools = ToolFolders(declared.root)
    return (
        *_reads(declared, trace, tools),
        *_writes(declared, trace, tools),
        *_network(trace),
        *_unused(declared, trace),
    )


def _reads(declared: Declared, trace: Trace, tools: ToolFolders) -> Iterator[AuditFinding]:
    # Threads are read one after the other: what one wrote another may seem to have read before.
    scratch = {path for path in trace.written | trace.made if not os.path.lexists(path)}
    inside = sorted({*_inside(declared.root, trace.read - scratch), *_links(declared, trace)})
    covered = set(declared.inputs) | _values_of_files(declared)
    unknown = [path for path in inside if path not in covered]
    own = selected(declared.task.outputs, unknown)
    available = selected(_outputs_of_needs(declared), unknown)
    left = [path for path in unknown if path not in own and path not in available]
    makers = _makers(declared, left)
    told: set[str] = set()
    for path in left:
        # Python keeps compiled modules there, and knows itself whether they are current.
        if "__pycache__" in path.split("/") or path in _OF_A_CLONE:
            continue
        installed = _installed(declared.root, path)
        kept = tools.around(path)
        if kept is not None and installed is None:
            if not kept.is_cache and kept.path not in told:
                told.add(kept.path)
                yield AuditFinding(
                    code=Code.UNDECLARED_READ,
                    severity="error",
                    path=kept.path,
                    message=f"reads files in `{kept.path}`, which keeps itself out of git",
                )
        elif installed is not None:
            if installed not in told and not _is_locked(declared, installed):
                told.add(installed)
                yield AuditFinding(
                    code=Code.UNDECLARED_READ,
                    severity="error",
                    path=installed,
                    message=f"reads `{installed}`, and no lock file of it is an input",
                )
        elif path == ".git" or path.startswith(".git/"):
            if ".git" not in told and not _asks_commands(declared.task):
                told.add(".git")
                yield AuditFinding(
                    code=Code.UNDECLARED_READ,
                    severity="error",
                    path=".git",
                    message="reads `.git`: a `{ command = … }` can be an input",
                )
        elif path in makers:
            maker = makers[path]
            yield AuditFinding(
                code=Code.UNDECLARED_READ,
                severity="error",
                path=path,
                field="depends-on",
                pattern=maker,
                message=f"reads `{path}`, an output of `{maker}`, and does not depend on it",
            )
        else:
            yield AuditFinding(
                code=Code.UNDECLARED_READ,
                severity="error",
                path=path,
                field="inputs",
                pattern=path,
                message=f"reads `{path}`, which is no input",
            )
    yield from _outside_reads(declared, trace)


def _outside_reads(declared: Declared, trace: Trace) -> Iterator[AuditFinding]:
    prefixes = tuple(os.path.dirname(os.path.dirname(path)) for path in trace.executed)
    for path in sorted(trace.read - trace.written - trace.made):
        # To open a folder is to list it, which programs do on their way to what they look for.
        if os.path.isdir(path):
            continue
        if _is_inside(declared.root, path) or _is_of_system(declared, path):
            continue
        if "__pycache__" in path.split("/"):
            continue
        # A program may read what it was installed with.
        if any(prefix not in ("", "/") and path.startswith(f"{prefix}/") for prefix in prefixes):
            continue
        yield AuditFinding(
            code=Code.UNDECLARED_READ,
            severity="error",
            path=path,
            message=f"reads `{path}`, which is outside of the project: no pattern can declare it",
        )


def _writes(declared: Declared, trace: Trace, tools: ToolFolders) -> Iterator[AuditFinding]:
    remaining = {path for path in _with_moved(trace) if os.path.lexists(path)}
    inside = sorted(_inside(declared.root, remaining))
    covered = selected(declared.task.outputs, inside)
    told: set[str] = set()
    for path in inside:
        if path in covered or path.startswith(".git/") or "__pycache__" in path.split("/"):
            continue
        if _installed(declared.root, path) is not None:
            continue
        kept = tools.around(path)
        if kept is not None:
            if not kept.is_cache and kept.path not in told:
                told.add(kept.path)
                yield AuditFinding(
                    code=Code.UNDECLARED_WRITE,
                    severity="error",
                    path=kept.path,
                    message=f"writes files in `{kept.path}`, which keeps itself out of git",
                )
            continue
        yield AuditFinding(
            code=Code.UNDECLARED_WRITE,
            severity="error",
            path=path,
            field="outputs",
            pattern=path,
            message=f"writes `{path}`, which is no output",
        )
    gone = {path for path in trace.removed - trace.written if not os.path.lexists(path)}
    gone_inside = sorted(_inside(declared.root, gone))
    owned = selected(declared.task.outputs, gone_inside)
    for path in gone_inside:
        if "__pycache__" in path or path.startswith(".git/") or tools.around(path) is not None:
            continue
        if path not in owned:
            yield AuditFinding(
                code=Code.UNDECLARED_WRITE,
                severity="error",
                path=path,
                message=f"removes `{path}`, which is no output",
            )
    for path in sorted(remaining):
        if not _is_inside(declared.root, path) and not _is_of_system(declared, path):
            yield AuditFinding(
                code=Code.UNDECLARED_WRITE,
                severity="error",
                path=path,
                message=f"writes `{path}`, which is outside of the project",
            )


def _with_moved(trace: Trace) -> Iterator[str]:
    """What was written, and what is in the folders that were moved to where they are."""
    for path in trace.written:
        yield path
        if os.path.isdir(path) and not os.path.islink(path):
            for folder, _, files in os.walk(path):
                yield from (os.path.join(folder, name) for name in files)


def _network(trace: Trace) -> Iterator[AuditFinding]:
    for host, port in sorted(trace.connected):
        is_local = host.startswith("127.") or host in ("::1", "::ffff:127.0.0.1")
        # A server on a port of the system's choice is bound to 0.
        if is_local and (port in trace.bound or 0 in trace.bound):
            continue
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        yield AuditFinding(
            code=Code.NETWORK_USED,
            severity="error",
            message=f"connects to {where}: what it gets from there is part of no key",
        )


def _unused(declared: Declared, trace: Trace) -> Iterator[AuditFinding]:
    touched = set(_inside(declared.root, trace.read | trace.looked_at | trace.written))
    touched.update(_links(declared, trace))
    by_rule: dict[str, list[str]] = {}
    for path, rule in declared.rules.items():
        by_rule.setdefault(rule, []).append(path)
    for rule, paths in by_rule.items():
        idle = sorted(path for path in paths if path not in touched)
        if not idle:
            continue
        if len(idle) == len(paths):
            message = f"nothing that the input `{rule}` selects was read"
        else:
            few = ", ".join(f"`{path}`" for path in idle[:3])
            more = f" and {len(idle) - 3} more" if len(idle) > 3 else ""  # noqa: PLR2004
            message = f"of `{rule}`, {len(idle)} of {len(paths)} were never read: {few}{more}"
        yield AuditFinding(
            code=Code.UNUSED_INPUT,
            severity="warning",
            field="inputs",
            pattern=rule,
            path=idle[0] if len(idle) == 1 else None,
            message=message,
        )


def _values_of_files(declared: Declared) -> set[str]:
    values = {
        item.file for item in declared.task.structured_inputs if isinstance(item, FileValueInput)
    }
    return values | {file.path for file in declared.pipeline.env_files}


def _outputs_of_needs(declared: Declared) -> list[OutputPattern]:
    """The outputs that are part of the key: of each need, or of what it stands for."""
    found: list[OutputPattern] = []
    waiting, seen = list(declared.task.depends_on), set[TaskId]()
    while waiting:
        need = waiting.pop()
        if need in seen:
            continue
        seen.add(need)
        task = declared.pipeline.tasks[need]
        found += task.outputs
        if not task.outputs:
            # Its key stands for it, and in that for everything that it depends on.
            waiting += task.depends_on
    return found


def _makers(declared: Declared, paths: Sequence[str]) -> dict[str, TaskId]:
    """Tasks that own some of these paths."""
    makers: dict[str, TaskId] = {}
    for task in declared.pipeline.tasks.values():
        if task.outputs and task.id != declared.task.id:
            for path in selected(task.outputs, paths):
                makers.setdefault(path, task.id)
    return makers


def _installed(root: str, path: str) -> str | None:
    """The folder of installed packages that a path is in, if it is in one."""
    parts = path.split("/")
    if "node_modules" in parts:
        return "/".join(parts[: parts.index("node_modules") + 1])
    for end in range(1, len(parts)):
        folder = "/".join(parts[:end])
        if os.path.exists(os.path.join(root, folder, "pyvenv.cfg")):
            return folder
    return None


def _is_locked(declared: Declared, folder: str) -> bool:
    names = {path.rpartition("/")[2] for path in declared.inputs}
    if folder.endswith("node_modules"):
        return bool(names & _LOCK_FILES)
    return any(name.startswith(_PYTHON_LOCK_FILES) for name in names)


def _asks_commands(task: Task) -> bool:
    return any(isinstance(item, CommandInput) for item in task.structured_inputs)


def _inside(root: str, paths: Iterable[str]) -> Iterator[str]:
    """Paths below the project, relative to it; not those of pipec's own state."""
    for path in paths:
        if _is_inside(root, path):
            relative = path[len(root) + 1 :]
            if not os.path.isdir(path) and not relative.startswith(".pipec/"):
                yield relative


def _links(declared: Declared, trace: Trace) -> Iterator[str]:
    """The links of the project that were followed, relative to it: also those to folders."""
    for path in trace.followed - trace.written:
        if _is_inside(declared.root, path):
            yield path[len(declared.root) + 1 :]


def _is_inside(root: str, path: str) -> bool:
    return path.startswith(f"{root}/")


def _is_of_system(declared: Declared, path: str) -> bool:
    """Whether nobody expects a path to be declared: the system's, scratch, settings of a user."""
    if any(path == folder or path.startswith(f"{folder}/") for folder in _SYSTEM):
        return True
    if any(path.startswith(f"{folder}/") for folder in declared.scratch):
        return path not in declared.scratch
    return bool(declared.home) and path.startswith(f"{declared.home}/.")
