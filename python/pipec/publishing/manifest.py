"""The package that is to be published, as its manifest describes it."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import tomli

from pipec.codes import Code
from pipec.errors import PlanError

Ecosystem = Literal["npm", "pypi"]
_MANIFESTS: Mapping[str, Ecosystem] = {"package.json": "npm", "pyproject.toml": "pypi"}
_NPM_NAME = re.compile(r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*")
_SEMVER = re.compile(
    r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
    r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_PYTHON_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package: its folder, and what its manifest says.

    `version` is empty where whoever builds a Python package finds it out. `shown` is the manifest's
    path from the root of the project.
    """

    ecosystem: Ecosystem
    folder: str
    root: str
    shown: str
    name: str
    version: str
    values: Mapping[str, Any]

    @property
    def leaf(self) -> str:
        """The name without a scope."""
        return self.name.rpartition("/")[2]


def read_package(root: str, path: str, *, ecosystem: Ecosystem | None = None) -> Package:
    """The package of a folder or of a manifest, below the root of the project.

    Raises:
        PlanError: there is no manifest, it is outside, private, or lacks a name or a version.
    """
    manifest = _find(root, path, ecosystem)
    shown = os.path.relpath(manifest, root)
    try:
        with open(manifest, "rb") as file:
            text = file.read().decode("utf-8-sig")
        values = json.loads(text) if manifest.endswith(".json") else tomli.loads(text)
    except (OSError, ValueError) as error:
        raise unsuitable(f"`{shown}` cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise unsuitable(f"`{shown}` holds no table")
    kind = _MANIFESTS[os.path.basename(manifest)]
    read = _npm if kind == "npm" else _python
    name, version = read(values, shown)
    return Package(
        ecosystem=kind,
        folder=os.path.dirname(manifest),
        root=root,
        shown=shown,
        name=name,
        version=version,
        values=values,
    )


def normal_name(name: str) -> str:
    """The one spelling of a Python package's name in addresses and file names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def unsuitable(message: str, *help_: str) -> PlanError:
    """The error for a package that cannot be published as it is."""
    return PlanError(Code.PACKAGE_UNSUITABLE, message, help=help_)


def _find(root: str, path: str, ecosystem: Ecosystem | None) -> str:
    top = os.path.realpath(root)
    full = os.path.realpath(os.path.join(root, path))
    if os.path.commonpath([top, full]) != top:
        raise unsuitable(f"`{path}` is not in the project")
    if os.path.basename(full) in _MANIFESTS and os.path.isfile(full):
        if ecosystem not in (None, _MANIFESTS[os.path.basename(full)]):
            raise unsuitable(f"`{path}` is no package for {ecosystem}")
        return full
    found = [
        os.path.join(full, name)
        for name, kind in _MANIFESTS.items()
        if ecosystem in (None, kind) and os.path.isfile(os.path.join(full, name))
    ]
    if not found:
        wanted = [name for name, kind in _MANIFESTS.items() if ecosystem in (None, kind)]
        raise unsuitable(f"there is no {' or '.join(wanted)} in `{path}`")
    if len(found) > 1:
        raise unsuitable(
            f"`{path}` is a package of two kinds", "name the manifest: `--package package.json`"
        )
    return found[0]


def _npm(values: Mapping[str, Any], shown: str) -> tuple[str, str]:
    if values.get("private") is True:
        raise unsuitable(f"`{shown}` says `private`: it is not to be published")
    name, version = values.get("name"), values.get("version")
    if not isinstance(name, str) or not _NPM_NAME.fullmatch(name):
        raise unsuitable(f"`{shown}` needs a `name` that a registry takes")
    if not isinstance(version, str) or not _SEMVER.fullmatch(version):
        raise unsuitable(f"`{shown}` needs a `version` such as `1.2.3`")
    return name, version


def _python(values: Mapping[str, Any], shown: str) -> tuple[str, str]:
    project = values.get("project")
    if not isinstance(project, dict):
        raise unsuitable(f"`{shown}` has no `[project]`: it is no package")
    name, version = project.get("name"), project.get("version", "")
    if not isinstance(name, str) or not _PYTHON_NAME.fullmatch(name):
        raise unsuitable(f"`{shown}` needs a `name` that a registry takes")
    if any(str(c).startswith("Private ::") for c in project.get("classifiers", ())):
        raise unsuitable(f"`{shown}` has a classifier `Private ::`: it is not to be published")
    if not version and "version" not in project.get("dynamic", ()):
        raise unsuitable(f"`{shown}` needs a `version`")
    return name, str(version)
