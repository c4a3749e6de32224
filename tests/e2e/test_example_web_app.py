"""The example of a web project does what its read-me says, from a fresh checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.recorded import Recorded, record_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EXAMPLE = Path(__file__).parents[2] / "examples" / "web-app"
LEFT_BEHIND = shutil.ignore_patterns("build", "target", ".pipec", "__pycache__", ".*_cache")
TASKS = {
    "search",
    "search.test",
    "search.words",
    "site",
    "site.check",
    "api.lint",
    "api.test",
    "api.package",
}


def verify(folder: Path) -> Recorded:
    tools = str(Path(sys.executable).parent)
    path = os.pathsep.join([tools, os.environ["PATH"]])
    run = record_of(folder, "verify", env={**os.environ, "PATH": path})
    assert run.exit_code == 0, run.text
    return run


@pytest.fixture(scope="session")
def cold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorded]:
    """The example after its first run; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("example") / "web-app"
    shutil.copytree(EXAMPLE, folder, ignore=LEFT_BEHIND)
    return folder, verify(folder)


@pytest.fixture
def example(cold: tuple[Path, Recorded], tmp_path: Path) -> Path:
    return shutil.copytree(cold[0], tmp_path / "web-app", symlinks=True)


def test_the_first_run_executes_everything(cold: tuple[Path, Recorded]) -> None:
    folder, run = cold
    assert run.executed == TASKS
    with zipfile.ZipFile(folder / "build" / "fieldnotes.pyz") as archive:
        assert "fieldnotes/app.py" in archive.namelist()


def test_the_second_run_executes_nothing(example: Path) -> None:
    assert verify(example).status == dict.fromkeys(TASKS, "cached")


def test_a_comment_in_the_indexer_leaves_the_site_alone(example: Path) -> None:
    source = example / "search" / "src" / "main.rs"
    source.write_text(source.read_text() + "// The end.\n")
    run = verify(example)
    assert run.executed >= {"search", "search.test"}
    assert run.executed <= {"search", "search.test", "search.words"}


def test_a_page_leaves_the_rust_code_alone(example: Path) -> None:
    page = example / "content" / "wren.md"
    page.write_text(page.read_text() + "\nWrens also sing in winter.\n")
    run = verify(example)
    assert run.executed == TASKS - {"search", "search.test", "api.lint"}


def test_a_deleted_build_is_restored_without_running_anything(example: Path) -> None:
    before = {path.name: path.read_bytes() for path in (example / "build" / "site").iterdir()}
    index = (example / "build" / "search-index.json").read_bytes()
    shutil.rmtree(example / "build")
    assert verify(example).executed == frozenset()
    after = {path.name: path.read_bytes() for path in (example / "build" / "site").iterdir()}
    assert after == before
    assert (example / "build" / "search-index.json").read_bytes() == index
    assert os.access(example / "build" / "indexer", os.X_OK)


def test_the_restored_indexer_works(example: Path) -> None:
    shutil.rmtree(example / "build")
    verify(example)
    done = subprocess.run(
        [example / "build" / "indexer", example / "content", example / "again.json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("of 6 pages\n")
    again, index = example / "again.json", example / "build" / "search-index.json"
    assert again.read_bytes() == index.read_bytes()
