"""`pipec github diff`: a patch from what is there to what `generate` would write."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.e2e.test_github_check import LOCK, PINS, PIPELINE, WORKFLOW

FILES = (WORKFLOW, LOCK, PINS)


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    assert project.pipec("github", "generate").status == 0
    return project


def contents(app: Project) -> list[bytes]:
    return [(app.folder / path).read_bytes() for path in FILES]


def cut(app: Project) -> None:
    app.write(LOCK, app.read(LOCK)[:200])


def lose_last_line_end(app: Project) -> None:
    app.write(PINS, app.read(PINS).rstrip("\n"))


def remove(app: Project) -> None:
    (app.folder / WORKFLOW).unlink()


def go_on(app: Project) -> None:
    app.write("pipeline.toml", PIPELINE.replace('"pull_request"', '"pull_request", "push"'))


@pytest.mark.parametrize("change", [cut, lose_last_line_end, remove, go_on])
def test_the_difference_is_a_patch_to_what_is_generated(
    app: Project, change: Callable[[Project], None], tmp_path: Path
) -> None:
    change(app)
    # As it is: `pipec` of a project puts placeholders where digests are.
    process = app.start("github", "diff")
    shown, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, b"")
    assert app.pipec("github", "diff", "--exit-code").status == 1
    before = contents_that_are_there(app)
    patch = tmp_path / "patch"
    patch.write_bytes(shown)
    subprocess.run(["git", "apply", str(patch)], cwd=app.folder, check=True)
    patched = contents(app)
    assert before != contents_that_are_there(app)
    assert app.pipec("github", "generate").stderr == "everything is up to date\n"
    assert contents(app) == patched


def contents_that_are_there(app: Project) -> dict[str, bytes]:
    return {
        path: (app.folder / path).read_bytes() for path in FILES if (app.folder / path).exists()
    }


def test_nothing_differs_in_another_checkout_of_the_same_text(app: Project) -> None:
    for path in FILES:
        file = app.folder / path
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    result = app.pipec("github", "diff", "--exit-code")
    assert (result.stdout, result.stderr, result.status) == ("", "", 0)
