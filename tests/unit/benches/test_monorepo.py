"""Generated monorepos are the same every time, and pipec and git take them."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from benches.monorepo import make
from benches.plan import Shape, plan
from tests.pipelines import pipeline_of

SMALL = Shape(packages=6, files_per_package=10, outputs=2)
IDLE = Shape(packages=6, files_per_package=10, outputs=0)
TOOLS = ("pipec", "turbo", "nx", "moon", "ninja")


def contents(tree: Path) -> dict[str, str]:
    """The digest of every file and the target of every link."""
    return {
        path.relative_to(tree).as_posix(): (
            path.readlink().as_posix()
            if path.is_symlink()
            else hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in tree.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    make(SMALL, tmp_path / "one", TOOLS)
    make(SMALL, tmp_path / "two", TOOLS)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_seed_gives_another_tree() -> None:
    assert plan(SMALL) != plan(Shape(packages=6, files_per_package=10, outputs=2, seed=2))


def test_a_package_depends_only_on_packages_before_it() -> None:
    packages = plan(SMALL).packages
    for number, package in enumerate(packages):
        assert set(package.dependencies) <= {before.name for before in packages[:number]}


def test_more_outputs_than_files_are_refused() -> None:
    with pytest.raises(ValueError, match="there cannot be more"):
        Shape(packages=1, files_per_package=2, outputs=3)


def test_a_tree_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        make(SMALL, tmp_path, TOOLS)


@pytest.mark.parametrize("shape", [SMALL, IDLE], ids=["outputs", "idle"])
def test_the_pipeline_has_two_tasks_a_package(shape: Shape, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    repo = make(shape, tree, ("pipec",))
    pipeline = pipeline_of((tree / "pipeline.toml").read_text(encoding="utf-8"))
    names = [package.name for package in repo.packages]
    assert set(pipeline.tasks) == {f"{name}.{task}" for name in names for task in ("build", "test")}
    assert set(pipeline.jobs) == {"build", "test"}
    leaf = repo.leaf
    assert set(pipeline.tasks[f"{leaf.name}.build"].depends_on) == {
        f"{name}.build" for name in leaf.dependencies
    }


def test_the_repository_holds_everything_that_is_not_ignored(tmp_path: Path) -> None:
    commits = []
    for name in ("one", "two"):
        make(SMALL, tmp_path / name, (*TOOLS, "git"))
        git = ["git", "-C", str(tmp_path / name)]
        status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True)
        assert status.stdout == b""
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, check=True)
        commits.append(head.stdout)
    assert commits[0] == commits[1]
