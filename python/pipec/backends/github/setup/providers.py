"""Every toolchain that a runner can be given, in the order of their steps."""

from collections.abc import Container, Mapping

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


def cached_of(resolved: Mapping[str, Toolchain], facts: Facts) -> frozenset[str]:
    """The toolchains whose downloads can be kept between runs."""
    return frozenset(
        provider.name
        for provider in PROVIDERS
        if provider.name in resolved and provider.keeps_downloads(resolved[provider.name], facts)
    )


def setup_steps(resolved: Mapping[str, Toolchain], *, cached: Container[str]) -> tuple[Step, ...]:
    """The steps that make the toolchains ready; of `cached` downloads are kept between runs."""
    return tuple(
        step
        for provider in PROVIDERS
        if provider.name in resolved
        for step in provider.steps(resolved[provider.name], provider.name in cached)
    )
