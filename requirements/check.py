"""Fails when the locked requirements no longer answer to what is asked for; needs no network."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "dev.txt"
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)")


def wanted() -> Iterator[tuple[str, Requirement]]:
    """What has to be in the lock, each with the place that asks for it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for table, lines in (
        ("build-system", project["build-system"]["requires"]),
        ("project.dependencies", project["project"]["dependencies"]),
        ("dependency-groups.dev", project["dependency-groups"]["dev"]),
    ):
        for line in lines:
            yield f"pyproject.toml: {table}", Requirement(line)
    example = "examples/web-app/requirements.txt"
    for line in (ROOT / example).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield example, Requirement(line)


def problems(lock: str) -> Iterator[str]:
    """Every pin that has no hash, and every requirement that no pin answers."""
    pins: dict[str, str] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        pin = PIN.match(block)
        if pin is None:
            continue
        pins[canonicalize_name(pin["name"])] = pin["version"]
        if "--hash=sha256:" not in block:
            yield f"`{pin['name']}` has no hash"
    for place, requirement in wanted():
        version = pins.get(canonicalize_name(requirement.name))
        if version is None:
            yield f"{place} asks for `{requirement}`, which is not locked"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"{place} asks for `{requirement}`, but {version} is locked"


def main() -> int:
    """Says what is wrong with the lock; 1 if anything is."""
    found = list(problems(LOCK.read_text(encoding="utf-8")))
    for problem in found:
        sys.stderr.write(f"requirements/dev.txt: {problem} (run `make lock`)\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
