"""Runs one task twice, as differently as two machines would, and compares its outputs."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from pipec.audit.patterns import has_magic, selected
from pipec.audit.steps import Surroundings, run_steps
from pipec.codes import Code
from pipec.errors import PlanError
from pipec.ir.task import Task
from pipec.runtime.declared_secrets import redaction_of
from pipec.runtime.redaction import Redaction
from pipec.runtime.request import RunRequest

if TYPE_CHECKING:
    from pipec._core import Engine

MOST_DIFFERENCES = 50
_BLOCK = 1024 * 1024
_AROUND = 16
_NEVER_COPIED = {".pipec", ".git"}
_LOCALES = ("tr_TR.utf8", "de_DE.utf8", "fr_FR.utf8", "en_US.utf8", "C.utf8", "C.UTF-8", "POSIX")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What one of the two runs found around it. `cpus`: how many processors it may use."""

    folder: str
    time_zone: str
    locale: str
    umask: str
    cpus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDifference:
    """An output that did not come out the same. `offset` counts bytes from 0, `line` from 1.

    `before` and `after` are what stands there: bytes in hexadecimal, a kind of file, or a target.
    `is_hidden`: they would show a secret, and are empty.
    """

    path: str
    kind: Literal["missing", "kind", "executable", "link", "content"]
    before: str
    after: str
    offset: int | None = None
    line: int | None = None
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of it: the first differences by path, and how many outputs differ."""

    files: int
    bytes: int
    differing: int
    conditions: tuple[Conditions, ...]
    differences: tuple[OutputDifference, ...]


def run_twice(request: RunRequest, task: Task, open_engine: Callable[[str], "Engine"]) -> Verified:
    """Runs the task in two copies of the project. Its dependencies are in place.

    `open_engine` gives an engine for a copy.

    Raises:
        PlanError: the task declares no outputs.
        RunError: it failed.
    """
    if not task.outputs:
        raise PlanError(
            Code.USAGE,
            f"`{task.id}` declares no outputs: there is nothing to compare",
            help=("`outputs` names the files that a task makes",),
        )
    redaction = redaction_of(request.pipeline, request.host_env)
    with tempfile.TemporaryDirectory(prefix="pipec-verify-") as scratch:
        made: list[tuple[str, dict[str, os.stat_result]]] = []
        conditions: list[Conditions] = []
        for index, around in enumerate(_surroundings(request, scratch)):
            os.makedirs(os.path.dirname(around.root), exist_ok=True)
            _copy_project(request.root, around.root)
            for path in _present(around.root, task):
                os.unlink(os.path.join(around.root, path))
            run_steps(
                request,
                task,
                open_engine(around.root),
                around,
                log=os.path.join(scratch, f"log{index}"),
                redaction=redaction,
            )
            made.append((around.root, _present(around.root, task)))
            conditions.append(_describe(around, scratch))
        (one, first), (other, second) = made
        found = _differences(one, first, other, second)
        differences = [
            _without_secrets(difference, redaction, (one, other)) for difference in found
        ]
        return Verified(
            files=len(first),
            bytes=sum(facts.st_size for facts in first.values()),
            differing=len(differences),
            conditions=tuple(conditions),
            differences=tuple(differences[:MOST_DIFFERENCES]),
        )


def _surroundings(request: RunRequest, scratch: str) -> Iterator[Surroundings]:
    name = os.path.basename(request.root) or "project"
    # Zones of POSIX need no data base of zones.
    yield Surroundings(
        root=os.path.join(scratch, "a", name),
        env={"TZ": "UTC0", "LC_ALL": "C", "LANG": "C"},
        umask=0o022,
    )
    other = _other_locale(request.host_env)
    yield Surroundings(
        root=os.path.join(scratch, "another-place", "deeper", f"{name}-2"),
        env={"TZ": "LINT-14", "LC_ALL": other, "LANG": other},
        umask=0o077,
        cpus=frozenset(sorted(_usable_cpus())[:1]),
    )


def _usable_cpus() -> set[int]:
    """The processors that we may use; empty where nobody can say, nor choose among them."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _other_locale(host: Mapping[str, str]) -> str:
    """A locale of this machine that sorts and writes numbers in another way, as far as there is."""
    locale = shutil.which("locale", path=host.get("PATH"))
    if locale is None:
        return "C.UTF-8"
    done = subprocess.run([locale, "-a"], capture_output=True, text=True, check=False)  # noqa: S603
    known = set(done.stdout.split())
    return next((name for name in _LOCALES if name in known), "C.UTF-8")


def _copy_project(root: str, to: str) -> None:
    def left_out(folder: str, names: list[str]) -> set[str]:
        # What pipec and git keep is no input of anything.
        return _NEVER_COPIED & set(names) if os.path.samefile(folder, root) else set()

    shutil.copytree(root, to, symlinks=True, ignore=left_out)


def _present(root: str, task: Task) -> dict[str, os.stat_result]:
    """The outputs as they are in a copy: paths relative to it, sorted, links not followed."""
    paths: list[str] = []
    for top in _tops(task):
        whole = os.path.join(root, top)
        if os.path.islink(whole) or os.path.isfile(whole):
            paths.append(top)
            continue
        for folder, folders, files in os.walk(whole):
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            paths += [os.path.relpath(os.path.join(folder, name), root) for name in files + links]
    found = selected(task.outputs, list(dict.fromkeys(paths)))
    return {path: os.lstat(os.path.join(root, path)) for path in sorted(found)}


def _tops(task: Task) -> list[str]:
    """The folders below which outputs can be: what each pattern begins with."""
    tops = set()
    for pattern in task.outputs:
        if not pattern.exclude:
            parts = pattern.glob.split("/")
            plain = next((i for i, part in enumerate(parts) if has_magic(part)), len(parts))
            tops.add("/".join(parts[:plain]) or ".")
    return sorted(top for top in tops if not any(top.startswith(f"{o}/") for o in tops))


def _differences(
    one: str,
    first: Mapping[str, os.stat_result],
    other: str,
    second: Mapping[str, os.stat_result],
) -> Iterator[OutputDifference]:
    for path in sorted(first.keys() | second.keys()):
        if path not in first or path not in second:
            there = ("there", "missing") if path in first else ("missing", "there")
            yield OutputDifference(path=path, kind="missing", before=there[0], after=there[1])
            continue
        difference = _difference(path, (one, first[path]), (other, second[path]))
        if difference is not None:
            yield difference


def _difference(
    path: str, first: tuple[str, os.stat_result], second: tuple[str, os.stat_result]
) -> OutputDifference | None:
    kinds = [_kind(facts) for _, facts in (first, second)]
    wholes = [os.path.join(root, path) for root, _ in (first, second)]
    if kinds[0] != kinds[1]:
        return OutputDifference(path=path, kind="kind", before=kinds[0], after=kinds[1])
    if kinds[0] == "link":
        targets = [os.readlink(whole) for whole in wholes]
        if targets[0] != targets[1]:
            return OutputDifference(path=path, kind="link", before=targets[0], after=targets[1])
        return None
    runs = ["yes" if facts.st_mode & 0o100 else "no" for _, facts in (first, second)]
    if runs[0] != runs[1]:
        return OutputDifference(path=path, kind="executable", before=runs[0], after=runs[1])
    return _content(path, wholes)


def _content(path: str, wholes: Sequence[str]) -> OutputDifference | None:
    """The first byte in which two files differ, and the line it is on."""
    offset, line = 0, 1
    with open(wholes[0], "rb") as left, open(wholes[1], "rb") as right:
        while True:
            one, other = left.read(_BLOCK), right.read(_BLOCK)
            if one != other:
                pairs = zip(one, other, strict=False)
                at = next(
                    (i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other))
                )
                return OutputDifference(
                    path=path,
                    kind="content",
                    offset=offset + at,
                    line=line + one.count(b"\n", 0, at),
                    before=one[at : at + _AROUND].hex(" "),
                    after=other[at : at + _AROUND].hex(" "),
                )
            if not one:
                return None
            offset += len(one)
            line += one.count(b"\n")


def _without_secrets(
    difference: OutputDifference, redaction: Redaction, roots: tuple[str, str]
) -> OutputDifference:
    path = redaction.text(difference.path)
    if difference.kind == "link":
        before, after = redaction.text(difference.before), redaction.text(difference.after)
        return replace(difference, path=path, before=before, after=after)
    if difference.offset is not None and any(
        _shows_secret(os.path.join(root, difference.path), difference.offset, redaction)
        for root in roots
    ):
        return replace(difference, path=path, before="", after="", is_hidden=True)
    return replace(difference, path=path)


def _shows_secret(path: str, offset: int, redaction: Redaction) -> bool:
    """Whether what is shown of a file from this byte on is of a secret, in whichever form."""
    start = max(0, offset - redaction.reach)
    with open(path, "rb") as file:
        file.seek(start)
        before, shown = file.read(offset - start), file.read(_AROUND)
        return redaction.is_touched(before, shown, file.read(redaction.reach))


def _kind(facts: os.stat_result) -> str:
    if stat.S_ISLNK(facts.st_mode):
        return "link"
    return "file" if stat.S_ISREG(facts.st_mode) else "something else"


def _describe(around: Surroundings, scratch: str) -> Conditions:
    return Conditions(
        folder=os.path.relpath(around.root, scratch),
        time_zone=around.env["TZ"],
        locale=around.env["LC_ALL"],
        umask=f"{around.umask or 0:03o}",
        cpus=len(around.cpus or _usable_cpus()) or os.cpu_count() or 1,
    )
