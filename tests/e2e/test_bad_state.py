"""State that is no such thing: no run waits for what stands where pipec keeps a file."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.ticks import let_a_tick_pass

PIPELINE = """
name = "app"

[tasks.build]
inputs = ["src/**"]
outputs = ["out/**"]
cache = true
run = "mkdir -p out && cat src/* > out/all && head -c 100000 /dev/zero > out/large"

[tasks.test]
depends-on = ["build"]
inputs = ["tests/**"]
outputs = []
cache = true
run = "test -s out/all"
"""

INSTEAD: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.fixture
def app(project: Project) -> Project:
    """A project of which everything is remembered, in every kind of file that pipec keeps."""
    project.write("pipeline.toml", PIPELINE)
    project.write("src/a", "a\n")
    project.write("src/b", "b\n")
    project.write("tests/t", "t\n")
    for _ in range(4):
        run(project)
    # One file that changed is added to what is there: to a journal, to the latest results.
    project.write("tests/t", "u\n")
    run(project)
    return project


def run(project: Project) -> None:
    let_a_tick_pass(project.folder.parent)
    result = project.pipec("run", "test")
    assert result.status == 0, result.stderr
    assert "PIPEC_BUG" not in result.stderr


def kept(project: Project) -> list[Path]:
    state = project.folder / ".pipec" / "cache"
    return sorted(path.relative_to(state) for path in state.rglob("*") if path.is_file())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("make", INSTEAD.values(), ids=INSTEAD.keys())
def test_what_stands_in_the_place_of_state_holds_up_no_run(
    app: Project, make: Callable[[Path], object]
) -> None:
    state = app.folder / ".pipec" / "cache"
    files = kept(app)
    names = {str(path).split("/", 1)[0] for path in files}
    assert names >= {"index", "index.journal", "surveys", "settled", "successes", "successes.newer"}
    assert names >= {"ir", "packs", "table", "cas", "stamp", "uses"}
    shutil.copytree(state, app.folder.parent / "state")
    for number, path in enumerate(files):
        shutil.rmtree(state)
        shutil.copytree(app.folder.parent / "state", state)
        (state / path).unlink()
        make(state / path)
        app.write("src/a", f"{number}\n")
        run(app)
        assert app.read("out/all") == f"{number}\nb\n"
        shutil.rmtree(app.folder / "out")
        run(app)
        assert app.read("out/all") == f"{number}\nb\n"
