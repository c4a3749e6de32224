"""Built packages of Python: wheels and source archives, with what they say of themselves."""

import hashlib
import os
import tarfile
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from pipec.publishing.manifest import Package, normal_name, unsuitable

_MULTIPLE = {
    "Platform": "platform",
    "Supported-Platform": "supported_platform",
    "Classifier": "classifiers",
    "Requires-Dist": "requires_dist",
    "Provides-Dist": "provides_dist",
    "Obsoletes-Dist": "obsoletes_dist",
    "Requires-External": "requires_external",
    "Project-URL": "project_urls",
    "Provides-Extra": "provides_extra",
    "License-File": "license_file",
    "Dynamic": "dynamic",
}
_SINGLE = (
    *("Metadata-Version", "Name", "Version", "Summary", "Home-page", "Download-URL", "Author"),
    *("Author-email", "Maintainer", "Maintainer-email", "License", "License-Expression"),
    *("Keywords", "Requires-Python", "Description-Content-Type"),
)


@dataclass(frozen=True, slots=True)
class Dist:
    """One built file."""

    path: str
    content: bytes
    metadata: Message

    @property
    def filename(self) -> str:
        """Its name."""
        return os.path.basename(self.path)

    @property
    def version(self) -> str:
        """The version that it says it is."""
        return str(self.metadata["Version"])

    def has_digest(self, algorithm: str, digest: str) -> bool:
        """Whether the content has this digest; False for an algorithm that is not known."""
        try:
            return hashlib.new(algorithm, self.content, usedforsecurity=False).hexdigest() == digest
        except ValueError:
            return False

    def fields(self) -> list[tuple[str, str]]:
        """What an upload says of the file, as the form of an index has it."""
        is_wheel = self.path.endswith(".whl")
        fields = [
            (":action", "file_upload"),
            ("protocol_version", "1"),
            ("filetype", "bdist_wheel" if is_wheel else "sdist"),
            ("pyversion", self.filename.split("-")[-3] if is_wheel else "source"),
            ("sha256_digest", hashlib.sha256(self.content).hexdigest()),
            ("blake2_256_digest", hashlib.blake2b(self.content, digest_size=32).hexdigest()),
        ]
        for header in _SINGLE:
            values = self.metadata.get_all(header, ())
            fields += [(header.lower().replace("-", "_"), str(value)) for value in values[:1]]
        for header, name in _MULTIPLE.items():
            fields += [(name, str(value)) for value in self.metadata.get_all(header, ())]
        description = self.metadata.get_payload() or self.metadata["Description"]
        if description:
            fields.append(("description", str(description)))
        return fields


def find_dists(package: Package, folder: str) -> tuple[Dist, ...]:
    """The built files of the package's version in a folder.

    Raises:
        PlanError: there are none, or of several versions.
    """
    shown = os.path.relpath(folder, package.root)
    wanted = normal_name(package.name)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = [read_dist(os.path.join(folder, name)) for name in names if wanted in _projects(name)]
    if package.version:
        found = [dist for dist in found if _same(dist.version, package.version)]
    versions = sorted({dist.version for dist in found})
    if len(versions) > 1:
        listed = " and ".join(versions)
        raise unsuitable(f"`{shown}` holds several versions: {listed}", "remove all but one")
    if not found:
        what = f"{package.name} {package.version}".strip()
        raise unsuitable(
            f"`{shown}` holds nothing built of {what}",
            "build it first, such as with `python -m build`, in a task of the pipeline",
        )
    return tuple(found)


def _projects(name: str) -> tuple[str, ...]:
    """The projects that a file can be of, by its name: older source archives have dashes in it."""
    if name.endswith(".whl"):
        return (normal_name(name.partition("-")[0]),)
    if name.endswith(".tar.gz"):
        return (normal_name(name.partition("-")[0]), normal_name(name.rpartition("-")[0]))
    return ()


def read_dist(path: str) -> Dist:
    """A built file.

    Raises:
        PlanError: it is damaged, or says nothing of itself.
    """
    name = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            content = file.read()
        text = _wheel_metadata(path) if name.endswith(".whl") else _source_metadata(path)
    except (OSError, KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise unsuitable(f"`{name}` cannot be read: {error}") from None
    metadata = HeaderParser().parsestr(text)
    if not metadata["Name"] or not metadata["Version"]:
        raise unsuitable(f"`{name}` does not say what it is")
    return Dist(path, content, metadata)


def _wheel_metadata(path: str) -> str:
    with zipfile.ZipFile(path) as archive:
        name = next(
            (
                n
                for n in archive.namelist()
                if n.count("/") == 1 and n.endswith(".dist-info/METADATA")
            ),
            "METADATA",
        )
        return archive.read(name).decode("utf-8", "replace")


def _source_metadata(path: str) -> str:
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.count("/") == 1 and member.name.endswith("/PKG-INFO"):
                file = archive.extractfile(member)
                if file is not None:
                    return file.read().decode("utf-8", "replace")
    raise KeyError("it has no PKG-INFO")


def _same(one: str, other: str) -> bool:
    """Whether two spellings are one version, as far as separators and zeros go."""

    def plain(version: str) -> str:
        text = version.lower().lstrip("v").replace("-", ".").replace("_", ".")
        for word, short in (("alpha", "a"), ("beta", "b"), ("preview", "rc"), (".rc", "rc")):
            text = text.replace(word, short)
        return text.replace(".a", "a").replace(".b", "b")

    return plain(one) == plain(other)
