"""Go."""

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
    toolchain = with_version(toolchain, facts, files=[".go-version", "go.mod"], default="stable")
    if toolchain.install is not None:
        return toolchain
    return replace(toolchain, install=("go mod download",) if facts.has("go.mod") else ())


def _steps(toolchain: Toolchain, caches: bool) -> tuple[Step, ...]:  # noqa: FBT001
    inputs = {**version_inputs(toolchain, "go"), "cache": caches}
    step = Step(name="Set up Go", uses=Action("actions/setup-go"), inputs=inputs)
    return (step, *install_steps(toolchain, "Go"))


PROVIDER = Provider(
    name="go",
    is_needed=lambda facts: facts.has("go.mod"),
    resolve=_resolve,
    steps=_steps,
)
