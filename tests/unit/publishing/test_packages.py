"""What is read of packages, changelogs and indexes."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipec.codes import Code
from pipec.errors import PipecError
from pipec.publishing.archives import differences
from pipec.publishing.changelog import section_of
from pipec.publishing.dists import find_dists
from pipec.publishing.github import check_tag
from pipec.publishing.github_event import read_event
from pipec.publishing.manifest import Package, read_package
from pipec.publishing.npm import default_tag
from pipec.publishing.pypi_index import Index
from pipec.publishing.web import Answer, Web

CHANGELOG = """\
# Changelog

## [Unreleased]

## [1.10.0] - 2026-01-02

### Added

- Ten.

## v1.1.0

One.

[1.10.0]: https://example.org
"""


@pytest.mark.parametrize(
    ("version", "notes"),
    [
        ("1.10.0", "### Added\n\n- Ten."),
        ("1.1.0", "One."),
        ("1.1", None),
        ("1.10.0-beta.1", None),
        ("Unreleased", ""),
    ],
)
def test_a_version_has_its_section(version: str, notes: str | None) -> None:
    assert section_of(CHANGELOG, version) == notes


def manifest(folder: Path, name: str, text: str) -> Package:
    (folder / name).write_text(text)
    return read_package(str(folder), ".")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("package.json", '{"name": "a", "version": "1.0.0", "private": true}', "says `private`"),
        ("package.json", '{"name": "A b", "version": "1.0.0"}', "needs a `name`"),
        ("package.json", '{"name": "../a", "version": "1.0.0"}', "needs a `name`"),
        ("package.json", '{"name": "a", "version": "1"}', "needs a `version`"),
        ("package.json", "[]", "holds no table"),
        ("package.json", "{", "cannot be read"),
        ("pyproject.toml", "[tool.x]", "has no `[project]`"),
        ("pyproject.toml", '[project]\nname = "a"', "needs a `version`"),
        ("pyproject.toml", '[project]\nname = "-a"\nversion = "1"', "needs a `name`"),
        (
            "pyproject.toml",
            '[project]\nname = "a"\nversion = "1"\nclassifiers = ["Private :: Do Not Upload"]',
            "not to be published",
        ),
        ("setup.py", "", "there is no package.json or pyproject.toml in `.`"),
    ],
)
def test_a_package_that_cannot_be_published_is_refused(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    with pytest.raises(PipecError) as refusal:
        manifest(tmp_path, name, text)
    assert refusal.value.code is Code.PACKAGE_UNSUITABLE
    assert why in refusal.value.message


def test_a_package_is_inside_the_project(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "package.json").write_text('{"name": "a", "version": "1.0.0"}')
    (tmp_path / "project" / "link").symlink_to(tmp_path)
    for path in ("..", "../package.json", "link"):
        with pytest.raises(PipecError, match="is not in the project"):
            read_package(str(tmp_path / "project"), path)


def test_a_folder_with_two_packages_has_to_be_said(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "a", "version": "1.0.0"}')
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "b"\nversion = "1"')
    with pytest.raises(PipecError, match="a package of two kinds"):
        read_package(str(tmp_path), ".")
    assert read_package(str(tmp_path), "pyproject.toml").name == "b"
    assert read_package(str(tmp_path), ".", ecosystem="npm").name == "a"
    with pytest.raises(PipecError, match="is no package for npm"):
        read_package(str(tmp_path), "pyproject.toml", ecosystem="npm")


@pytest.mark.parametrize(
    ("version", "tag"),
    [("1.2.3", "latest"), ("1.2.3-beta.1", "beta"), ("1.2.3-0", "next"), ("1.2.3+a-b", "latest")],
)
def test_a_version_before_a_release_is_not_the_latest(version: str, tag: str) -> None:
    assert default_tag(version) == tag


def test_a_tag_is_for_one_version(tmp_path: Path) -> None:
    package = manifest(tmp_path, "package.json", '{"name": "@a/web", "version": "1.2.3"}')
    for tag in ("1.2.3", "v1.2.3", "@a/web@1.2.3", "web@1.2.3", "web-v1.2.3"):
        check_tag(package, "1.2.3", tag)
    for tag in ("v1.2.30", "1.2", "api@1.2.3", "release"):
        with pytest.raises(PipecError) as refusal:
            check_tag(package, "1.2.3", tag)
        assert refusal.value.code is Code.RELEASE_MISMATCH


def wheel(folder: Path, name: str, version: str) -> None:
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        text = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nClassifier: A\n"
        text += "Classifier: B\nRequires-Dist: x\n\nThe text.\n"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", text)


def test_built_files_are_those_of_the_version(tmp_path: Path) -> None:
    package = manifest(tmp_path, "pyproject.toml", '[project]\nname = "A.b"\nversion = "1.0rc1"')
    folder = tmp_path / "dist"
    folder.mkdir()
    for name, version in (("a_b", "1.0rc1"), ("a_b", "0.9"), ("a_b_c", "1.0rc1")):
        wheel(folder, name, version)
    (dist,) = find_dists(package, str(folder))
    assert dist.filename == "a_b-1.0rc1-py3-none-any.whl"
    fields = dist.fields()
    assert [value for key, value in fields if key == "classifiers"] == ["A", "B"]
    wanted = {"filetype": "bdist_wheel", "pyversion": "py3", "version": "1.0rc1"}
    assert wanted.items() <= dict(fields).items()
    assert dict(fields)["description"] == "The text.\n"


def test_a_version_that_is_found_out_when_building_has_to_be_one(tmp_path: Path) -> None:
    text = '[project]\nname = "a"\ndynamic = ["version"]'
    package = manifest(tmp_path, "pyproject.toml", text)
    folder = tmp_path / "dist"
    folder.mkdir()
    wheel(folder, "a", "1.0")
    assert find_dists(package, str(folder))[0].version == "1.0"
    wheel(folder, "a", "1.1")
    with pytest.raises(PipecError, match="holds several versions"):
        find_dists(package, str(folder))
    (folder / "a-1.2-py3-none-any.whl").write_text("cut short")
    with pytest.raises(PipecError, match="cannot be read"):
        find_dists(package, str(folder))


HTML = b"""<a href="../../p/a-1.0.tar.gz#sha256=ABCD">a</a> <a href="a%2B1.whl">b</a><a>c</a>"""
JSON = json.dumps(
    {
        "files": [
            {"filename": "a-1.0.tar.gz", "hashes": {"md5": "1", "sha256": "abcd"}},
            {"filename": "a+1.whl", "hashes": {}},
        ]
    }
).encode()


@pytest.mark.parametrize("body", [HTML, JSON], ids=["html", "json"])
def test_an_index_tells_digests_in_two_ways(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    web = Web(attempts=1, wait=lambda _: None, agent="")
    monkeypatch.setattr(web, "ask", lambda *_, **__: Answer(200, body))
    assert Index(web, "http://127.0.0.1/simple/").files("A") == {
        "a-1.0.tar.gz": ("sha256", "abcd"),
        "a+1.whl": ("", ""),
    }


def packed(files: dict[str, bytes], *, level: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=level) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_packages_differ_by_their_files_alone() -> None:
    files = {"a": b"1" * 999, "b": b"2"}
    one, same = packed(files, level=1), packed(files, level=9)
    assert one != same
    assert differences(one, same) == []
    assert differences(one, packed({"a": b"1", "c": b"3"}, level=1)) == ["a", "b", "c"]
    with pytest.raises(ValueError, match=r".+"):
        differences(one, b"no archive")


def test_an_event_says_what_happened(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text('{"pull_request": {"number": 3, "head": {"sha": "x", "repo": null}}}')
    environ = {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REPOSITORY": "Acme/web",
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_REF": "refs/heads/a/b",
    }
    event = read_event(environ)
    assert (event.number, event.head, event.head_repository) == (3, "x", "")
    assert (event.owner, event.branch, event.tag) == ("acme", "a/b", "")
    path.write_text("{")
    for broken in (environ, {}, {**environ, "GITHUB_EVENT_PATH": str(tmp_path / "none")}):
        with pytest.raises(PipecError) as refusal:
            read_event(broken)
        assert refusal.value.code is Code.EVENT_UNSUITABLE
