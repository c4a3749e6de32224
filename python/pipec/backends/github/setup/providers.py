"""Every toolchain that a runner can be given, in the order of their steps."""

from collections.abc import Mapping

from pipec.backends.github.facts import Facts
from pipec.backends.github.model import Step
from pipec.backends.github.setup import deno, go, java, node, python, rust
from pipec.ir.sync_github import Toolchain

PROVIDERS = (
    python.PROVIDER,
    node.PROVIDER,
    deno.PROVIDER,
    rust.PROVIDER,
    go.PROVIDER,
    java.PROVIDER,
)


def resolve_setup(wanted: Mapping[str, Toolchain] | None, facts: Facts) -> dict[str, Toolchain]:
    """The toolchains with nothing left open. `wanted` None: those that the files ask for."""
    resolved = {}
    for provider in PROVIDERS:
        if wanted is None:
            toolchain = Toolchain() if provider.is_needed(facts) else None
        else:
            toolchain = wanted.get(provider.name)
        if toolchain is not None:
            resolved[provider.name] = provider.resolve(toolchain, facts)
    return resolved


def setup_steps(resolved: Mapping[str, Toolchain], *, caches: bool) -> tuple[Step, ...]:
    """The steps that make the toolchains ready."""
    return tuple(
        step
        for provider in PROVIDERS
        if provider.name in resolved
        for step in provider.steps(resolved[provider.name], caches)
    )
