"""The scripts of package managers, in their normal form."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.frontend.lower.tree import Placed
from pipec.frontend.suggest import did_you_mean
from pipec.ir.job import JobId
from pipec.ir.sync_tasks import (
    RUNNERS,
    Script,
    SyncTarget,
    SyncTasks,
    runners_of,
    scripts_of,
)
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.sync_tasks import SyncTargetSpec, SyncTasksSpec


def lower_sync_tasks(
    spec: PipelineSpec, placed: Sequence[Placed], findings: list[Finding]
) -> SyncTasks | None:
    """The settings; None if no scripts are wanted. Unknown names, and clashes, are findings."""
    written = spec.sync.tasks if spec.sync is not None else None
    if not written:
        return None
    tasks = _lower_tasks(SyncTasksSpec() if written is True else written, spec, placed, findings)
    findings += _clashes(tasks)
    return tasks


def _lower_tasks(
    written: SyncTasksSpec,
    spec: PipelineSpec,
    placed: Sequence[Placed],
    findings: list[Finding],
) -> SyncTasks:
    names = {task.name for task in placed}
    jobs = _chosen(written.jobs, spec.jobs, Code.UNKNOWN_JOB, "job", findings)
    tasks = _chosen(written.tasks, names, Code.UNKNOWN_TASK, "task", findings)
    targets = () if written.targets == "root" else tuple(map(_lower_target, written.targets))
    runners: tuple[str, ...] = RUNNERS
    if written.runners != "all":
        runners = tuple(runner for runner in RUNNERS if runner in written.runners)
    return SyncTasks(
        prefix=written.prefix,
        command=written.command,
        runners=runners,
        targets=tuple(dict.fromkeys(targets)),
        jobs=tuple(map(JobId, jobs)),
        tasks=tasks,
        scripts=dict(sorted(written.scripts.items())),
    )


def _chosen(
    written: str | Sequence[str],
    known: Collection[str] | Mapping[str, object],
    code: Code,
    kind: str,
    findings: list[Finding],
) -> tuple[str, ...]:
    """The names, in their order; all of them for the word that says so."""
    if isinstance(written, str):
        return tuple(sorted(known)) if written == "all" else ()
    for index, name in enumerate(written):
        if name not in known:
            label = Label(("sync", "tasks", f"{kind}s", index))
            help_ = did_you_mean(name, known)
            findings.append(Finding(code, f"there is no {kind} `{name}`", (label,), help_))
    return tuple(sorted(set(written).intersection(known)))


def _lower_target(written: str | SyncTargetSpec) -> SyncTarget:
    if isinstance(written, str):
        return SyncTarget(path=written)
    return SyncTarget(
        path=written.path or "",
        package=written.package or "",
        runner=written.runner or "",
        allow_multiple=written.allow_multiple,
    )


def _clashes(settings: SyncTasks) -> Iterator[Finding]:
    """Two scripts get one name: a runner that knows no `:` in names sees `-` instead."""
    said: set[tuple[Script, Script]] = set()
    for separator in (":", "-") if _has_dashes(settings) else (":",):
        taken: dict[str, Script] = {}
        for script in scripts_of(settings):
            name = script.name(separator)
            other = taken.setdefault(name, script)
            if other is script or (other, script) in said:
                continue
            said.add((other, script))
            message = (
                f"two scripts would be called `{name}`: `{other.command}` and `{script.command}`"
            )
            yield Finding(Code.SYNC_NAME_CLASH, message, (Label(script.origin),))


def _has_dashes(settings: SyncTasks) -> bool:
    paths = [target.path for target in settings.targets if target.path]
    return any(set(runners_of(path)) & {"make", "just"} for path in paths)
