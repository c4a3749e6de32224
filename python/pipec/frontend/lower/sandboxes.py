"""Sandboxes and execution profiles in their normal form."""

from collections.abc import Mapping

from pipec.ir.sandbox import (
    ContainerSandbox,
    LimaSandbox,
    LocalSandbox,
    Profile,
    Sandbox,
    Volume,
)
from pipec.spec.later import ContainerSpec, ProfileSpec, SandboxSpec


def lower_sandboxes(sandboxes: Mapping[str, SandboxSpec]) -> dict[str, Sandbox]:
    """The sandboxes by name, in the order of their names."""
    return {name: _lower_sandbox(sandboxes[name]) for name in sorted(sandboxes)}


def _lower_sandbox(written: SandboxSpec) -> Sandbox:
    if written.docker is not None:
        return _lower_container(written.docker, "docker")
    if written.container is not None:
        return _lower_container(written.container, "container")
    if written.lima is not None:
        return LimaSandbox(vm=written.lima.vm or "")
    # A sandbox has one kind; the models have seen to it.
    assert written.local is not None
    return LocalSandbox(
        read=written.local.read, write=written.local.write, network=written.local.network
    )


def _lower_container(
    written: ContainerSpec,
    kind: str,
) -> ContainerSandbox:
    return ContainerSandbox(
        kind="docker" if kind == "docker" else "container",
        image=written.image,
        workdir=written.workdir,
        volumes=tuple(
            Volume(source=volume.source, target=volume.target, readonly=volume.readonly)
            for volume in written.volumes
        ),
    )


def lower_profiles(profiles: Mapping[str, ProfileSpec]) -> dict[str, Profile]:
    """The execution profiles by name, in the order of their names."""
    return {name: _lower_profile(profiles[name]) for name in sorted(profiles)}


def _lower_profile(written: ProfileSpec) -> Profile:
    labels = written.runs_on or ()
    return Profile(
        target=written.target,
        sandbox=written.sandbox or "",
        provider=written.provider or "",
        runs_on=(labels,) if isinstance(labels, str) else tuple(labels),
    )
