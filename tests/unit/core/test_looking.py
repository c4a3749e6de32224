"""What the core tells about a task without running it, and what a cleared state leaves."""

import json
from pathlib import Path

import pytest

from pipec._core import store_clear, store_sweep
from tests.unit.core.bench import Bench, snapshot, task


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path, {"t": task(["src/**", "!src/x", "lit", "@group"], ["out"])})
    bench.named = {"group": ["more/*"]}
    bench.write("src/a", "1")
    bench.write("src/b", "1")
    return bench


def make(root: Path) -> None:
    """The output."""
    (root / "out").write_text("out")


def test_rules_that_select_nothing_are_named_by_their_place(bench: Bench) -> None:
    assert bench.engine().unmatched("t") == [1, 2, 3]
    assert bench.engine().selected("t") == [2, 0, 0, 0]
    bench.write("src/x")
    bench.write("more/a")
    assert bench.engine().unmatched("t") == [2]
    assert bench.engine().selected("t") == [3, 1, 0, 1]


def test_a_difference_names_components_and_files_with_their_rules(bench: Bench) -> None:
    bench.run(make)
    bench.write("src/a", "2")
    bench.write("lit", "new")
    bench.write("more/\udcff", "new")
    (bench.root / "src/b").unlink()
    found = json.loads(bench.engine().diff_inputs("t", "[]"))
    assert found["baseline"]
    assert [name for name, _, _ in found["components"]] == ["inputs"]
    assert found["files"] == [
        {"path": "lit", "change": "added", "rule": "lit"},
        {"path": "more/\\xff", "change": "added", "rule": "group"},
        {"path": "src/a", "change": "changed", "rule": "src/**"},
        {"path": "src/b", "change": "removed", "rule": "src/**"},
    ]


def test_without_a_success_there_is_nothing_to_compare_with(bench: Bench) -> None:
    found = json.loads(bench.engine().diff_inputs("t", "[]"))
    assert not found["baseline"]


def test_clearing_removes_what_is_ours_and_nothing_else(bench: Bench) -> None:
    bench.run(make)
    bench.write(".pipec/cache/notes.txt", "mine")
    bench.write(".pipec/cache/.gitignore", "*")
    store_clear(str(bench.state))
    assert snapshot(bench.state) == {
        ".gitignore": (0o644, b"*"),
        "notes.txt": (0o644, b"mine"),
    }
    (bench.root / "out").unlink()
    assert bench.run(make) == {"t": "miss"}


def test_a_sweep_keeps_what_entries_name_and_counts_when_it_is_dry(bench: Bench) -> None:
    bench.run(make)
    before = snapshot(bench.state / "packs")
    limits = {"now_ms": 1_000_001, "max_age_ms": None, "max_bytes": None}
    swept = json.loads(store_sweep(str(bench.state), dry=False, **limits))
    assert (swept["entries_kept"], swept["entries_removed"], swept["blobs_removed"]) == (1, 0, 0)
    assert snapshot(bench.state / "packs") == before
    old = {**limits, "now_ms": 10_000_000, "max_age_ms": 1000}
    dry = json.loads(store_sweep(str(bench.state), dry=True, **old))
    assert dry["entries_removed"] == 1
    (bench.root / "out").unlink()
    assert bench.run(make) == {"t": "restored"}
    assert json.loads(store_sweep(str(bench.state), dry=False, **old)) == dry
    (bench.root / "out").unlink()
    assert bench.run(make) == {"t": "miss"}
