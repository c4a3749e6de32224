"""The settings of the generated GitHub workflow in their normal form."""

from collections.abc import Sequence

from pipec.frontend.lower.jobs import lower_labels
from pipec.ir.sync_github import GithubSync, Install, Toolchain
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.sync_github import (
    BuiltInstallSpec,
    CiCacheSpec,
    Commands,
    LockedInstallSpec,
    SetupSpec,
    SyncGithubSpec,
    ToolchainSpec,
)


def lower_sync_github(spec: PipelineSpec) -> GithubSync | None:
    """The settings; None if no workflow is to be generated."""
    written = spec.sync.github if spec.sync is not None else None
    if not written:
        return None
    if written is True:
        written = SyncGithubSpec()
    cache = written.cache
    if isinstance(cache, bool):
        cache = CiCacheSpec(tasks=cache, dependencies=False)
    return GithubSync(
        workflow=written.workflow,
        lock=written.lock,
        pins=written.pins,
        name=written.name or "",
        mode=written.mode,
        profile=written.profile,
        install=_lower_install(written.install),
        setup=_lower_setup(written.setup),
        cache_tasks=cache.tasks,
        cache_dependencies=cache.dependencies,
        gate="" if written.gate is False else written.gate or "pipec",
        runs_on=lower_labels(written.runs_on),
        timeout_minutes=written.timeout_minutes,
        concurrency=written.concurrency,
        merge_group=written.merge_group,
    )


def _lower_install(written: str | LockedInstallSpec | BuiltInstallSpec) -> Install:
    if isinstance(written, LockedInstallSpec):
        return Install(requirements=written.requirements)
    if isinstance(written, BuiltInstallSpec):
        commands = (written.run,) if isinstance(written.run, str) else tuple(written.run)
        return Install(commands=commands, path=tuple(written.path))
    return Install()


def _lower_setup(written: str | Sequence[str] | SetupSpec) -> dict[str, Toolchain] | None:
    if isinstance(written, SetupSpec):
        chosen = {name: getattr(written, name) for name in SetupSpec.model_fields}
        return {
            name: _lower_toolchain(spec)
            for name, spec in sorted(chosen.items())
            if spec is not None
        }
    if isinstance(written, str):
        return None if written == "auto" else {}
    return {str(name): Toolchain() for name in sorted(set(written))}


def _lower_toolchain(written: ToolchainSpec) -> Toolchain:
    return Toolchain(
        version=written.version or "",
        version_file=written.version_file or "",
        manager=getattr(written, "manager", None) or "",
        manager_version=getattr(written, "manager_version", None) or "",
        distribution=getattr(written, "distribution", ""),
        install=_lower_commands(written.install),
    )


def _lower_commands(written: Commands | None) -> tuple[str, ...] | None:
    if written is None:
        return None
    if written is False:
        return ()
    return (written,) if isinstance(written, str) else tuple(written)
