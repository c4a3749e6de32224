"""Node's packages are installed as the lock file says, where there is one."""

import pytest

from pipec.backends.github.facts import Facts
from pipec.backends.github.setup.providers import cached_of, resolve_setup
from pipec.ir.sync_github import Toolchain

LOCKS = {
    "npm": "package-lock.json",
    "pnpm": "pnpm-lock.yaml",
    "yarn": "yarn.lock",
    "bun": "bun.lock",
}


def set_up(manager: str, *files: str) -> tuple[tuple[str, ...] | None, bool]:
    """The commands that install, and whether downloads are kept."""
    facts = Facts(files=frozenset({"package.json", *files}))
    resolved = resolve_setup({"node": Toolchain(manager=manager)}, facts)
    return resolved["node"].install, "node" in cached_of(resolved, facts)


@pytest.mark.parametrize(
    ("manager", "also", "command"),
    [
        ("npm", [], "npm ci --ignore-scripts"),
        ("pnpm", [], "pnpm install --frozen-lockfile --ignore-scripts"),
        ("bun", [], "bun install --frozen-lockfile --ignore-scripts"),
        ("yarn", [], "yarn install --frozen-lockfile --ignore-scripts"),
        ("yarn", [".yarnrc.yml"], "yarn install --immutable --mode=skip-build"),
    ],
)
def test_a_lock_file_is_kept_to(manager: str, also: list[str], command: str) -> None:
    assert set_up(manager, LOCKS[manager], *also) == ((command,), True)


@pytest.mark.parametrize(
    ("manager", "also", "command"),
    [
        ("npm", [], "npm install --ignore-scripts"),
        ("pnpm", [], "pnpm install --ignore-scripts"),
        ("bun", [], "bun install --ignore-scripts"),
        ("yarn", [], "yarn install --ignore-scripts"),
        ("yarn", [".yarnrc.yml"], "yarn install --no-immutable --mode=skip-build"),
    ],
)
def test_without_one_nothing_asks_for_it(manager: str, also: list[str], command: str) -> None:
    assert set_up(manager, *also) == ((command,), False)
    other = "yarn.lock" if manager == "npm" else "package-lock.json"
    assert set_up(manager, other, *also) == ((command,), False)
