"""Python, with uv or pip."""

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
    manager = toolchain.manager or ("uv" if facts.has("uv.lock") else "pip")
    if manager == "pip":
        toolchain = with_version(toolchain, facts, files=[".python-version"], default="3.13")
    install = toolchain.install
    if install is None:
        install = _usual_install(manager, facts)
    return replace(toolchain, manager=manager, install=install)


def _usual_install(manager: str, facts: Facts) -> tuple[str, ...]:
    if manager == "uv":
        return ("uv sync --locked",) if facts.has("uv.lock") else ()
    if facts.has("requirements.txt"):
        hashes = "--require-hashes " if facts.has_hashes else ""
        return (f"python -m pip install {hashes}--requirement requirements.txt",)
    return ("python -m pip install --editable .",) if facts.has("pyproject.toml") else ()


def _steps(toolchain: Toolchain, caches: bool) -> tuple[Step, ...]:  # noqa: FBT001
    if toolchain.manager == "uv":
        # uv reads `.python-version` and `requires-python` itself.
        version = {"python-version": toolchain.version} if toolchain.version else {}
        step = Step(
            name="Set up uv",
            uses=Action("astral-sh/setup-uv"),
            inputs={**version, "enable-cache": caches},
        )
    else:
        step = Step(
            name="Set up Python",
            uses=Action("actions/setup-python"),
            inputs={**version_inputs(toolchain, "python"), **({"cache": "pip"} if caches else {})},
        )
    return (step, *install_steps(toolchain, "Python"))


PROVIDER = Provider(
    name="python",
    is_needed=lambda facts: facts.has("pyproject.toml", "requirements.txt", "uv.lock"),
    resolve=_resolve,
    steps=_steps,
)
