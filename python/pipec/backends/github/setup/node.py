"""Node, with pnpm, npm, yarn or bun."""

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

_LOCKS = (
    ("pnpm", ("pnpm-lock.yaml",)),
    ("yarn", ("yarn.lock",)),
    ("bun", ("bun.lock", "bun.lockb")),
    ("npm", ("package-lock.json",)),
)


def _resolve(toolchain: Toolchain, facts: Facts) -> Toolchain:
    files = [".nvmrc", ".node-version", *(["package.json"] if facts.has_node_engine else [])]
    toolchain = with_version(toolchain, facts, files=files, default="24")
    manager = toolchain.manager or _manager(facts)
    install = _usual_install(manager, facts) if toolchain.install is None else toolchain.install
    version = toolchain.manager_version
    if facts.package_manager.partition("@")[0] != manager:
        # Nothing is left to a `latest` that moves.
        version = version or _MANAGER_VERSIONS.get(manager, "")
    return replace(toolchain, manager=manager, manager_version=version, install=install)


# Node comes with it up to 24. Without it the runner's own yarn is called, which does as `yarnPath`
# says, or tells what is missing.
_COREPACK = "if command -v corepack; then corepack enable; fi"
_MANAGER_VERSIONS = {"pnpm": "10", "bun": "1"}


def _manager(facts: Facts) -> str:
    said = facts.package_manager.partition("@")[0]
    if said in {"pnpm", "npm", "yarn", "bun"}:
        return said
    return next((name for name, locks in _LOCKS if facts.has(*locks)), "npm")


def _usual_install(manager: str, facts: Facts) -> tuple[str, ...]:
    """What the lock file says, and no scripts of packages: a bad release runs nothing by itself."""
    if not facts.has("package.json"):
        return ()
    is_locked = _has_lock(manager, facts)
    if manager == "npm":
        verb = "ci" if is_locked else "install"
        return (f"npm {verb} --ignore-scripts",)
    if manager == "yarn":
        said = facts.package_manager
        is_modern = facts.has(".yarnrc.yml") or (said and not said.startswith("yarn@1."))
        if is_modern:
            # On a runner it insists on its lock file unless it is told not to.
            option = "--immutable" if is_locked else "--no-immutable"
            return (f"yarn install {option} --mode=skip-build",)
    option = "--frozen-lockfile " if is_locked else ""
    return (f"{manager} install {option}--ignore-scripts",)


def _has_lock(manager: str, facts: Facts) -> bool:
    return facts.has(*dict(_LOCKS)[manager])


def _steps(toolchain: Toolchain, caches: bool) -> tuple[Step, ...]:  # noqa: FBT001
    manager = toolchain.manager
    steps: list[Step] = []
    if manager == "pnpm":
        said: dict[str, Value] = {"version": toolchain.manager_version}
        inputs = {**(said if toolchain.manager_version else {}), "run_install": False}
        steps.append(Step(name="Set up pnpm", uses=Action("pnpm/action-setup"), inputs=inputs))
    kept: dict[str, Value] = {"package-manager-cache": False}
    if caches and manager != "bun":
        kept = {"cache": manager}
    node = {**version_inputs(toolchain, "node"), **kept}
    steps.append(Step(name="Set up Node", uses=Action("actions/setup-node"), inputs=node))
    if manager == "yarn":
        steps.append(Step(name="Set up Yarn", run=_COREPACK))
    if manager == "bun":
        bun: dict[str, Value] = {"bun-version-file": "package.json"}
        if toolchain.manager_version:
            bun = {"bun-version": toolchain.manager_version}
        steps.append(
            Step(
                name="Set up Bun",
                uses=Action("oven-sh/setup-bun"),
                inputs={**bun, "no-cache": not caches},
            )
        )
    return (*steps, *install_steps(toolchain, "Node"))


PROVIDER = Provider(
    name="node",
    is_needed=lambda facts: facts.has("package.json"),
    resolve=_resolve,
    steps=_steps,
    # The action fails when it is to keep downloads and finds no lock file to name them by.
    keeps_downloads=lambda toolchain, facts: _has_lock(toolchain.manager, facts),
)
