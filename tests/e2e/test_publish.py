"""What the commands that publish say without a registry."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from tests.conftest import Project
from tests.doubles.faulty import free_address

ROOT = Path(__file__).parents[2]
READY = {
    "package.json": json.dumps(
        {
            "name": "web",
            "version": "1.0.0",
            "description": "d",
            "license": "MIT",
            "repository": "r",
        }
    ),
    "package-lock.json": '{"name": "web", "version": "1.0.0"}',
    "README.md": "# Web\n",
    "LICENSE": "MIT\n",
    "CHANGELOG.md": "## 1.0.0\n\nAll of it.\n",
}


@pytest.fixture
def ready(project: Project) -> Project:
    """A package that nothing is missing of."""
    for path, text in READY.items():
        project.write(path, text)
    return project


def missing(project: Project, *words: str, env: dict[str, str] | None = None) -> dict[str, str]:
    """What the doctor misses or warns of: status by check."""
    result = project.pipec("release", "doctor", "--offline", "--format", "json", *words, env=env)
    document = json.loads(result.stdout)
    schema = json.loads((ROOT / "schemas/cli/release-doctor.schema.json").read_text())
    jsonschema_rs.validator_for(schema).validate(document)
    statuses = {check["id"]: check["status"] for check in document["checks"]}
    assert document["is_ready"] == ("missing" not in statuses.values()) == (result.status == 0)
    return {name: status for name, status in statuses.items() if status != "ok"}


def test_a_package_that_is_ready_is_ready(ready: Project) -> None:
    assert missing(ready) == {"credentials": "warning"}
    tagged = {"NPM_TOKEN": "x" * 20, "GITHUB_REF": "refs/tags/v1.0.0"}
    assert missing(ready, env=tagged) == {}
    text = ready.pipec("release", "doctor", "--offline", env=tagged)
    assert text.stdout.endswith("ok  there is a token\n")
    assert text.stderr == "web 1.0.0: ready\n"


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("package-lock.json", '{"version": "0.9.0"}', {"version.package-lock.json": "missing"}),
        ("Cargo.toml", '[package]\nversion = "2.0.0"', {"version.Cargo.toml": "missing"}),
        ("CHANGELOG.md", "## 1.1.0\n\nx\n", {"changelog": "missing"}),
        ("CHANGELOG.md", None, {"changelog": "missing"}),
        ("README.md", None, {"file.README.md": "missing"}),
        ("LICENSE", None, {"file.LICENSE": "warning"}),
        (
            "package.json",
            '{"name": "web", "version": "1.0.0"}',
            {
                "metadata.description": "missing",
                "metadata.license": "missing",
                "metadata.repository": "warning",
            },
        ),
    ],
)
def test_the_doctor_names_what_is_missing(
    ready: Project, path: str, text: str | None, found: dict[str, str]
) -> None:
    if text is None:
        (ready.folder / path).unlink()
    else:
        ready.write(path, text)
    assert missing(ready) == {**found, "credentials": "warning"}


def test_a_tag_of_another_version_is_missed(ready: Project) -> None:
    found = missing(ready, env={"GITHUB_REF": "refs/tags/v1.0.1"})
    assert found == {"tag": "missing", "credentials": "warning"}


def test_a_package_of_python_has_to_be_built(project: Project) -> None:
    project.write("api/pyproject.toml", '[project]\nname = "api"\ndynamic = ["version"]\n')
    found = missing(project, "--package", "api")
    assert found["built"] == "missing"
    assert found["metadata.description"] == "missing"
    assert "metadata.repository" in found
    # Which version it is, the build finds out: until then nothing is asked of the changelog.
    project.write("api/CHANGELOG.md", "## 1.0\n\nAll of it.\n")
    text = project.pipec("release", "doctor", "--offline", "--package", "api")
    assert "CHANGELOG.md" not in text.stdout
    assert re.fullmatch(r"api: \d+ things missing\n", text.stderr)


def test_a_registry_that_is_down_is_something_missing(ready: Project) -> None:
    command = ("release", "doctor", "--registry", free_address(), "--attempts", "1")
    result = ready.pipec(*command)
    assert result.status == 1
    assert "does not answer as it should, asked once: Connection refused" in result.stdout


@pytest.mark.parametrize("attempts", ["0", "21", "-1"])
def test_attempts_have_bounds(ready: Project, attempts: str) -> None:
    result = ready.pipec("release", "doctor", f"--attempts={attempts}")
    assert (result.status, "is a number from 1 to 20" in result.stderr) == (2, True)
