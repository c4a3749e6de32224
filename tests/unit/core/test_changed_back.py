"""Inputs that change and change back while a task runs: it may have read what was in between."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.core.bench import Bench, decide, seal, task

LONG_AGO = 1_000_000_000


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path, {"t": task(["src/**"], ["out"])})
    for name in ("a", "b"):
        path = bench.write(f"src/{name}", "one")
        os.utime(path, (LONG_AGO, LONG_AGO))
    return bench


def write_twice(path: Path) -> None:
    path.write_text("two")
    path.write_text("one")


def replace_twice(path: Path) -> None:
    for text in ("two", "one"):
        new = path.with_name("new")
        new.write_text(text)
        new.replace(path)


@pytest.mark.parametrize("edit", [write_twice, replace_twice])
def test_what_was_read_of_an_input_that_changed_and_changed_back_is_not_stored(
    bench: Bench, edit: Callable[[Path], None]
) -> None:
    engine = bench.engine()
    decide(engine, "t")
    edit(bench.root / "src" / "b")
    bench.write("out", "two")
    sealed = seal(engine, "t")
    assert sealed["changed_inputs"] == ["src/b"]
    assert not sealed["stored"]
    assert bench.run({"t": lambda root: bench.write("out", "one")}) == {"t": "miss"}


@pytest.mark.parametrize(
    "edit",
    [
        lambda path: path.chmod(0o600),
        lambda path: (path.parents[1] / "link").hardlink_to(path),
        lambda path: path.read_text(),
    ],
    ids=["mode", "hard link", "read"],
)
def test_an_input_that_was_not_written_is_no_reason_to_keep_nothing(
    bench: Bench, edit: Callable[[Path], object]
) -> None:
    engine = bench.engine()
    decide(engine, "t")
    edit(bench.root / "src" / "b")
    bench.write("out", "one")
    sealed = seal(engine, "t")
    assert sealed["changed_inputs"] == []
    assert sealed["stored"]
