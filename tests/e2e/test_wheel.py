"""The wheel that a user installs holds everything that the command line needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipec.codes import Code
from tests.recorded import record_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the wheel comes before the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [TOOLS / "maturin", "build", "--release", "--locked", "--out", folder / "dist"]
    subprocess.run([*build, "--interpreter", sys.executable], cwd=ROOT, check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    install = [TOOLS / "uv", "pip", "install", "--offline", "--no-deps", "--target"]
    subprocess.run([*install, folder / "site", "--python", sys.executable, wheel], check=True)
    return {**os.environ, "PYTHONPATH": str(folder / "site")}


def test_it_explains_every_code(installed: dict[str, str]) -> None:
    site = Path(installed["PYTHONPATH"])
    pages = {path.stem for path in (site / "pipec" / "error_pages").glob("*.md")}
    assert pages == {code.value for code in Code}


def test_it_runs_a_pipeline(installed: dict[str, str], tmp_path: Path) -> None:
    where = "import pipec._core; print(pipec._core.__file__)"
    python = [sys.executable, "-c", where]
    file = subprocess.run(python, env=installed, capture_output=True, text=True, check=True)
    assert file.stdout.startswith(installed["PYTHONPATH"])

    task = 'outputs = ["out"]\ninputs = []\ncache = true\nrun = "echo done > out"\n'
    (tmp_path / "pipeline.toml").write_text(f'name = "p"\n[tasks.t]\n{task}')
    assert record_of(tmp_path, "t", env=installed).status == {"t": "passed"}
    assert record_of(tmp_path, "t", env=installed).status == {"t": "cached"}


def test_it_prints_every_schema(installed: dict[str, str], tmp_path: Path) -> None:
    published = {
        path.relative_to(ROOT / "schemas").as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "schemas").rglob("*.json")
    }
    folder = Path(installed["PYTHONPATH"]) / "pipec" / "schemas"
    shipped = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.json")
    }
    assert shipped == published
    program = [sys.executable, "-m", "pipec", "schema", "cli/check"]
    printed = subprocess.run(program, env=installed, cwd=tmp_path, capture_output=True, check=True)
    assert printed.stdout.decode() == published["cli/check.schema.json"]
