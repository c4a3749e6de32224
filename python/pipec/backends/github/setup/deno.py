"""Deno."""

from dataclasses import replace

from pipec.backends.github.facts import Facts
from pipec.backends.github.model import Action, Step
from pipec.backends.github.setup.provider import (
    Provider,
    install_steps,
    version_inputs,
    with_version,
)
from pipec.ir.sync_github import Toolchain


def _resolve(toolchain: Toolchain, facts: Facts) -> Toolchain:
    toolchain = with_version(toolchain, facts, files=[".dvmrc"], default="v2.x")
    if toolchain.install is not None:
        return toolchain
    has_project = facts.has("deno.json", "deno.jsonc")
    usual = "deno install --frozen" if facts.has("deno.lock") else "deno install"
    return replace(toolchain, install=(usual,) if has_project else ())


def _steps(toolchain: Toolchain, caches: bool) -> tuple[Step, ...]:  # noqa: FBT001
    inputs = {**version_inputs(toolchain, "deno"), "cache": caches}
    step = Step(name="Set up Deno", uses=Action("denoland/setup-deno"), inputs=inputs)
    return (step, *install_steps(toolchain, "Deno"))


PROVIDER = Provider(
    name="deno",
    is_needed=lambda facts: facts.has("deno.json", "deno.jsonc"),
    resolve=_resolve,
    steps=_steps,
)
