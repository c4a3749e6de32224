"""pipec's own pipeline: sound as a whole, and runnable where no test is run from within it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recorded import record_of

ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    tools = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([tools, os.environ["PATH"]])}


def test_it_has_no_finding() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipec", "check"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_its_workflow_is_what_it_asks_for() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipec", "github", "check"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_its_checks_pass_and_are_cached(tmp_path: Path) -> None:
    """In a copy, so that a run in the repository itself is not in the way."""
    folder = tmp_path / "pipec"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    checks = ["python.lint", "lock", "rust.format"]
    first = record_of(folder, *checks, env=environment())
    assert first.exit_code == 0, first.text
    assert first.executed == set(checks)
    second = record_of(folder, *checks, env=environment())
    assert second.status == dict.fromkeys(checks, "cached")
