"""The step that installs pipec on a runner installs what is locked, and nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.golden.github_cases import generate_case

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

LOCK = Path(__file__).parents[2] / "requirements" / "dev.txt"


def locked(name: str) -> str:
    """A package of the locked requirements with its hashes: pipec itself is on no index here."""
    text = LOCK.read_text(encoding="utf-8")
    found = re.search(rf"^{name}==(?:.*\\\n)+.*\n", text, re.MULTILINE)
    assert found is not None
    return found[0]


def install(tmp_path: Path, requirements: str) -> subprocess.CompletedProcess[str]:
    """Runs the script of the step as a runner does."""
    workflow = yaml.safe_load(generate_case("install-locked", tmp_path / "case").text)
    steps = workflow["jobs"]["verify"]["steps"]
    script = next(step["run"] for step in steps if step["name"] == "Install pipec")
    file = tmp_path / "requirements.txt"
    file.write_text(requirements, encoding="utf-8")
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        env={
            **os.environ,
            "PYTHON": sys.executable,
            "REQUIREMENTS": str(file),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "GITHUB_PATH": str(tmp_path / "path"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_what_is_locked_is_installed_and_found(tmp_path: Path) -> None:
    done = install(tmp_path, locked("idna"))
    assert done.returncode == 0, done.stderr
    folder = (tmp_path / "path").read_text(encoding="utf-8").strip()
    command = [f"{folder}/python", "-c", "import idna"]
    assert subprocess.run(command, check=False).returncode == 0


def test_another_hash_is_refused(tmp_path: Path) -> None:
    done = install(tmp_path, re.sub("sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, locked("idna")))
    assert done.returncode != 0
    assert "do not match the hashes" in done.stderr.lower().replace("\n", " ")
    assert not (tmp_path / "path").exists()


def test_what_is_not_locked_is_refused(tmp_path: Path) -> None:
    done = install(tmp_path, "idna\n")
    assert done.returncode != 0
    assert not (tmp_path / "path").exists()
