"""What a package still lacks to be released: one check a function."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tomli

from pipec.codes import Code
from pipec.errors import PipecError
from pipec.publishing.changelog import find_changelog, section_of
from pipec.publishing.check import Check, Status
from pipec.publishing.dists import find_dists
from pipec.publishing.github import check_tag
from pipec.publishing.manifest import Package, normal_name
from pipec.publishing.npm import default_registry, has_id_token, is_there, pack
from pipec.publishing.npm_registry import NpmRegistry
from pipec.publishing.pypi import PypiRequest, files_to_send
from pipec.publishing.pypi_index import Index
from pipec.publishing.tokens import NPM, PYPI, find_token
from pipec.publishing.web import Web


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The package, and what its checks work with. Without `web` no registry is asked."""

    package: Package
    environ: Mapping[str, str]
    web: Web | None
    registry: str = ""
    index: str = ""

    @property
    def table(self) -> Mapping[str, Any]:
        """What the manifest says of the package."""
        values = self.package.values
        return values["project"] if self.package.ecosystem == "pypi" else values


def examine(patient: Patient) -> tuple[Check, ...]:
    """Every check, in an order in which one would repair them."""
    return tuple(check for rule in RULES for check in rule(patient))


def metadata(patient: Patient) -> Iterator[Check]:
    """What people look for on the page of a package."""
    wanted: dict[str, tuple[str, ...]] = {
        "description": ("description",),
        "license": ("license", "license-files"),
        "repository": ("repository", "urls"),
    }
    if patient.package.ecosystem == "pypi":
        wanted |= {"readme": ("readme",), "Python version": ("requires-python",)}
    table = patient.table
    dynamic = table.get("dynamic", ()) if patient.package.ecosystem == "pypi" else ()
    for name, keys in wanted.items():
        if any(table.get(key) or key in dynamic for key in keys):
            yield Check(id=f"metadata.{name}", status="ok", message=f"the {name} is there")
        else:
            message = f"`{patient.package.shown}` has no {name}"
            help_ = f"add `{keys[0]}`"
            status: Status = "missing" if name in {"description", "license"} else "warning"
            yield Check(id=f"metadata.{name}", status=status, message=message, help=help_)


def files(patient: Patient) -> Iterator[Check]:
    """A read-me and the text of the license."""
    names = os.listdir(patient.package.folder)
    for word, name, status in (("readme", "README.md", "missing"), ("licen", "LICENSE", "warning")):
        present = [found for found in names if found.lower().startswith(word)]
        if present:
            yield Check(id=f"file.{name}", status="ok", message=f"`{present[0]}` is there")
        else:
            message = f"there is no {name} beside `{patient.package.shown}`"
            yield Check(id=f"file.{name}", status=status, message=message)  # type: ignore[arg-type]


def versions_in_step(patient: Patient) -> Iterator[Check]:
    """Every other file that says the version says the same."""
    package = patient.package
    if not package.version:
        return
    for path, version in _other_versions(package):
        name = os.path.basename(path)
        if version == package.version:
            yield Check(id=f"version.{name}", status="ok", message=f"`{name}` says {version} too")
        else:
            message = f"`{name}` says {version}, and `{package.shown}` says {package.version}"
            help_ = "bring both to one version"
            yield Check(id=f"version.{name}", status="missing", message=message, help=help_)


def changelog(patient: Patient) -> Iterator[Check]:
    """The changelog says what is new."""
    package = patient.package
    version = package.version or _built_version(package)
    path = find_changelog(package.folder, package.root)
    if path is None:
        yield Check(
            id="changelog",
            status="missing",
            message="there is no CHANGELOG.md",
            help=f"write one with a section `## {version or '1.0.0'}`",
        )
        return
    if not version:
        # It is found out when the package is built, and `built` says that it is not.
        return
    with open(path, encoding="utf-8") as file:
        notes = section_of(file.read(), version)
    shown = os.path.relpath(path, package.root)
    if notes:
        yield Check(id="changelog", status="ok", message=f"`{shown}` says what is new in {version}")
    else:
        message = f"`{shown}` says nothing about {version}"
        help_ = f"add a section `## {version}`"
        yield Check(id="changelog", status="missing", message=message, help=help_)


def tag(patient: Patient) -> Iterator[Check]:
    """In a job for a tag: it is that of the version."""
    ref = patient.environ.get("GITHUB_REF", "")
    version = patient.package.version or _built_version(patient.package)
    if not ref.startswith("refs/tags/") or not version:
        return
    name = ref.removeprefix("refs/tags/")
    try:
        check_tag(patient.package, version, name)
    except PipecError as error:
        help_ = error.help[0]
        yield Check(id="tag", status="missing", message=error.message, help=help_)
    else:
        yield Check(id="tag", status="ok", message=f"the tag `{name}` is for {version}")


def built(patient: Patient) -> Iterator[Check]:
    """A package of Python is built before it is published."""
    if patient.package.ecosystem != "pypi":
        return
    folder = os.path.join(patient.package.folder, "dist")
    try:
        dists = find_dists(patient.package, folder)
    except PipecError as error:
        help_ = error.help[0] if error.help else None
        yield Check(id="built", status="missing", message=error.message, help=help_)
    else:
        names = ", ".join(f"`{dist.filename}`" for dist in dists)
        yield Check(id="built", status="ok", message=f"built: {names}")


def credentials(patient: Patient) -> Iterator[Check]:
    """Somebody may publish it from here."""
    names = NPM if patient.package.ecosystem == "npm" else PYPI
    if has_id_token(patient.environ):
        yield Check(id="credentials", status="ok", message="this job can prove what it is")
    elif find_token(patient.environ, names):
        yield Check(id="credentials", status="ok", message="there is a token")
    else:
        message = f"there is no token here: neither {' nor '.join(f'`{name}`' for name in names)}"
        yield Check(id="credentials", status="warning", message=message)


def registry(patient: Patient) -> Iterator[Check]:
    """The version is free, or what is there is the same."""
    if patient.web is None:
        return
    package = patient.package
    ask = _npm_state if package.ecosystem == "npm" else _pypi_state
    try:
        where, is_published = ask(patient, patient.web)
    except PipecError as error:
        if error.code is Code.PACKAGE_UNSUITABLE:
            # Nothing to compare; `built` says so.
            return
        help_ = error.help[0] if error.help else None
        yield Check(id="registry", status="missing", message=error.message, help=help_)
        return
    what = f"{package.name} {package.version or _built_version(package)}"
    state = "is published, with this content" if is_published else "is not published yet"
    yield Check(id="registry", status="ok", message=f"`{where}`: {what} {state}")


RULES: tuple[Callable[[Patient], Iterator[Check]], ...] = (
    metadata,
    files,
    versions_in_step,
    changelog,
    tag,
    built,
    credentials,
    registry,
)


def _npm_state(patient: Patient, web: Web) -> tuple[str, bool]:
    package, environ = patient.package, patient.environ
    url = patient.registry or default_registry(package, environ)
    found = NpmRegistry(web, url, find_token(environ, NPM))
    if found.version(package.name, package.version) is None:
        return found.shown, False
    with tempfile.TemporaryDirectory(prefix="pipec-doctor-") as folder:
        tarball = pack(package.folder, folder, environ)
        return found.shown, is_there(found, tarball, name=package.name, version=package.version)


def _pypi_state(patient: Patient, web: Web) -> tuple[str, bool]:
    package = patient.package
    request = PypiRequest(registry=patient.registry, index=patient.index)
    index = Index(web, request.index_url)
    dists = find_dists(package, os.path.join(package.folder, "dist"))
    return index.shown, not files_to_send(index, package.name, dists)


def _built_version(package: Package) -> str:
    try:
        return find_dists(package, os.path.join(package.folder, "dist"))[0].version
    except PipecError:
        return ""


def _other_versions(package: Package) -> Iterator[tuple[str, str]]:
    """Files beside the manifest that say a version of the same package."""
    for name, version_in in _VERSIONS.items():
        path = os.path.join(package.folder, name)
        if name == os.path.basename(package.shown) or not os.path.isfile(path):
            continue
        try:
            with open(path, "rb") as file:
                text = file.read().decode("utf-8-sig")
            values = tomli.loads(text) if name.endswith((".toml", "uv.lock")) else json.loads(text)
            version = version_in(values, package)
        except (OSError, ValueError, AttributeError, TypeError):
            # What cannot be read is somebody else's to complain of.
            continue
        if isinstance(version, str):
            yield path, version


def _top(values: Any, _package: Package) -> object:
    return values.get("version")


def _project(values: Any, package: Package) -> object:
    project = values.get("project", {})
    same = normal_name(str(project.get("name"))) == normal_name(package.leaf)
    return project.get("version") if same else None


def _crate(values: Any, _package: Package) -> object:
    return values.get("package", {}).get("version")


def _locked(values: Any, package: Package) -> object:
    for entry in values.get("package", ()):
        if normal_name(str(entry.get("name"))) == normal_name(package.name):
            return entry.get("version")
    return None


_VERSIONS: Mapping[str, Callable[[Any, Package], object]] = {
    "package.json": _top,
    "package-lock.json": _top,
    "npm-shrinkwrap.json": _top,
    "deno.json": _top,
    "jsr.json": _top,
    "pyproject.toml": _project,
    "Cargo.toml": _crate,
    "uv.lock": _locked,
}
