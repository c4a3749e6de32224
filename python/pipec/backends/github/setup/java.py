"""Java."""

from dataclasses import replace

from pipec.backends.github.facts import Facts
from pipec.backends.github.model import Action, Step, Value
from pipec.backends.github.setup.provider import (
    Provider,
    install_steps,
    version_inputs,
    with_version,
)
from pipec.ir.sync_github import Toolchain


def _resolve(toolchain: Toolchain, facts: Facts) -> Toolchain:
    files = [".java-version", ".sdkmanrc"]
    toolchain = with_version(toolchain, facts, files=files, default="21")
    return replace(
        toolchain,
        distribution=toolchain.distribution or "temurin",
        manager="maven" if facts.has("pom.xml") else "gradle",
        install=toolchain.install or (),
    )


def _steps(toolchain: Toolchain, caches: bool) -> tuple[Step, ...]:  # noqa: FBT001
    kept: dict[str, Value] = {"cache": toolchain.manager} if caches else {}
    inputs = {
        "distribution": toolchain.distribution,
        **version_inputs(toolchain, "java"),
        **kept,
    }
    step = Step(name="Set up Java", uses=Action("actions/setup-java"), inputs=inputs)
    return (step, *install_steps(toolchain, "Java"))


PROVIDER = Provider(
    name="java",
    is_needed=lambda facts: facts.has("pom.xml", "build.gradle", "build.gradle.kts"),
    resolve=_resolve,
    steps=_steps,
)
