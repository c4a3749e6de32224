"""What the files of a repository say about the toolchains that it needs."""

import json
import os
from dataclasses import dataclass

_NAMES = (
    *(".bun-version", ".dvmrc", ".go-version", ".java-version", ".node-version", ".nvmrc"),
    *(".python-version", ".sdkmanrc", ".yarnrc.yml", "Cargo.toml", "build.gradle"),
    *("build.gradle.kts", "bun.lock", "bun.lockb", "deno.json", "deno.jsonc", "deno.lock"),
    *("go.mod", "gradlew", "package-lock.json", "package.json", "pnpm-lock.yaml", "pom.xml"),
    *("pyproject.toml", "requirements.txt", "rust-toolchain", "rust-toolchain.toml", "uv.lock"),
    *("yarn.lock",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The known files that the pipeline's folder has, and what two of them say.

    `package_manager` is such as `pnpm@10.20.0`; `has_hashes` is of requirements.txt. `folder` is
    the pipeline's, from the top of the repository.
    """

    files: frozenset[str] = frozenset()
    package_manager: str = ""
    has_node_engine: bool = False
    has_hashes: bool = False
    folder: str = ""

    def has(self, *names: str) -> bool:
        """Whether there is one of these files."""
        return bool(self.files.intersection(names))

    def first(self, *names: str) -> str:
        """The first of these files that there is, from the top of the repository; else empty."""
        found = next((name for name in names if name in self.files), "")
        return f"{self.folder}/{found}" if found and self.folder else found


def read_facts(root: str, *, folder: str = "") -> Facts:
    """The facts of a pipeline's folder. A file that cannot be read says nothing."""
    files = frozenset(name for name in _NAMES if os.path.lexists(os.path.join(root, name)))
    manager, has_engine = "", False
    try:
        with open(os.path.join(root, "package.json"), encoding="utf-8") as file:
            package = json.load(file)
        manager = package.get("packageManager", "")
        has_engine = isinstance(package.get("engines", {}).get("node"), str)
    except (OSError, ValueError, AttributeError):
        pass
    has_hashes = False
    try:
        with open(os.path.join(root, "requirements.txt"), encoding="utf-8") as file:
            has_hashes = "--hash=" in file.read()
    except (OSError, ValueError):
        pass
    return Facts(
        files=files,
        package_manager=manager if isinstance(manager, str) else "",
        has_node_engine=has_engine,
        has_hashes=has_hashes,
        folder=folder,
    )
