"""What comes, goes and changes around the inputs of a task that runs is seen after its steps."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ticks import let_a_tick_pass
from tests.unit.core.bench import Bench, seal, task

INPUTS = ["src/*/x*", "src/a", "!src/skipped/**", "lit"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    root = tmp_path / "project"
    bench = Bench(root, {"t": task(INPUTS, ["out"], inputs_gitignore=True)})
    for place in ("src/a", "src/plain", "src/skipped/x", "src/d/x", "src/ignoring/x", "other/x"):
        bench.write(place, "1")
    bench.write("src/ignoring/.gitignore", "x2\n")
    let_a_tick_pass(tmp_path)
    return bench


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "x").touch()


def to_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("../other")


MEANT: dict[str, Callable[[Path], object]] = {
    "a file of the same size": lambda root: (root / "src/a").write_text("2"),
    "a file that goes": lambda root: (root / "src/d/x").unlink(),
    "a file that comes": lambda root: (root / "src/d/x2").touch(),
    "a folder that comes": lambda root: (root / "src/d").rename(root / "src/e"),
    "a folder that takes the place of a file": lambda root: to_folder(root / "src/plain"),
    "a link to a folder that takes the place of a file": lambda root: to_link(root / "src/plain"),
    "a folder that becomes a link": lambda root: (
        (root / "src/d").rename(root / "d"),
        (root / "src/d").symlink_to("../d"),
    ),
    "a literal that comes": lambda root: (root / "lit").touch(),
    "rules for what is ignored": lambda root: (root / "src/.gitignore").write_text("d\n"),
    "other rules": lambda root: (root / "src/ignoring/.gitignore").write_text("x\n#\n"),
    "no rules": lambda root: (
        (root / "src/ignoring/x2").touch(),
        (root / "src/ignoring/.gitignore").unlink(),
    ),
}

NOT_MEANT: dict[str, Callable[[Path], object]] = {
    "a file that nothing selects": lambda root: (root / "src/b").touch(),
    "a file that goes and is no input": lambda root: (root / "src/plain").unlink(),
    "a file that is excluded": lambda root: (root / "src/skipped/x2").touch(),
    "a file that is ignored": lambda root: (root / "src/ignoring/x2").touch(),
    "a folder with nothing for the task": lambda root: (root / "src/new").mkdir(),
    "a checkout of git": lambda root: (root / "src/.git").mkdir(),
}


def sealed_after(bench: Bench, edit: Callable[[Path], object]) -> dict[str, object]:
    """What becomes of the task's result when the edit falls into its steps."""
    engine = bench.engine()
    assert json.loads(engine.assess("{}"))["t"]["verdict"]["kind"] == "miss"
    edit(bench.root)
    bench.write("out", "made")
    sealed: dict[str, object] = seal(engine, "t")
    return sealed


@pytest.mark.parametrize("edit", MEANT.values(), ids=MEANT.keys())
def test_a_result_is_not_stored_for_inputs_that_are_others_now(
    bench: Bench, edit: Callable[[Path], object]
) -> None:
    sealed = sealed_after(bench, edit)
    assert sealed["changed_inputs"]
    assert not sealed["stored"]


@pytest.mark.parametrize("edit", NOT_MEANT.values(), ids=NOT_MEANT.keys())
def test_a_result_is_stored_whatever_else_changes(
    bench: Bench, edit: Callable[[Path], object]
) -> None:
    sealed = sealed_after(bench, edit)
    assert sealed["changed_inputs"] == []
    assert sealed["stored"]


@pytest.mark.parametrize("becomes", ["a folder", "a file"])
def test_a_link_that_leads_elsewhere_without_being_touched_is_seen(
    bench: Bench, becomes: str
) -> None:
    target = bench.root / "other"
    (bench.root / "src" / "link").symlink_to("../other")
    if becomes == "a folder":
        (target / "x").unlink()
        target.rmdir()
        target.touch()
    let_a_tick_pass(bench.root.parent)

    def edit(root: Path) -> None:
        if becomes == "a folder":
            target.unlink()
            target.mkdir()
        else:
            target.rename(root / "away")
            target.touch()

    assert sealed_after(bench, edit)["changed_inputs"] == ["src/link"]


def test_what_comes_in_the_tick_of_the_look_is_seen(bench: Bench) -> None:
    """Again and again: where times have ticks, only some edits fall into the one of the look."""
    for number in range(20):
        (bench.root / f"src/d/x{number}a").touch()
        sealed = sealed_after(bench, lambda root, n=number: (root / f"src/d/x{n}b").touch())
        assert sealed["changed_inputs"] == [f"src/d/x{number}b"]
