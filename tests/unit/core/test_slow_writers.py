"""The times of a file are not those of its contents: a write sets the ones before the others."""

import json
import mmap
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ticks import let_a_tick_pass
from tests.unit.core.bench import Bench, seal, task
from tests.unit.core.stopped_write import is_allowed, stopped_write


def copy(root: Path) -> None:
    (root / "out").write_bytes((root / "source").read_bytes())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """One task that copies one file."""
    bench = Bench(tmp_path / "p", {"copy": task(["source"], ["out"])})
    bench.write("source", "first")
    return bench


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def identity(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def run_until_settled(bench: Bench) -> list[int]:
    """Runs a few times with ticks between; gives how many files each of the runs read."""
    read = []
    for _ in range(3):
        let_a_tick_pass(bench.root.parent)
        bench.run(copy)
        read.append(bench.counters["files_hashed"])
    return read


@pytest.mark.skipif(not is_allowed(), reason="only root may stop a write here")
def test_a_write_that_was_stopped_when_its_file_was_read_is_noticed(bench: Bench) -> None:
    run_until_settled(bench)
    source = bench.root / "source"
    old = identity(source)
    with stopped_write(source, b"again"):
        stopped = identity(source)
        assert stopped != old
        assert source.read_bytes() == b"first"
        run_until_settled(bench)
        assert (bench.root / "out").read_bytes() == b"first"
    # Nothing but the contents tells.
    assert identity(source) == stopped
    assert bench.run(copy) == {"copy": "miss"}
    assert (bench.root / "out").read_bytes() == b"again"
    assert run_until_settled(bench)[-1] == 0


@pytest.mark.parametrize("lost", ["", "surveys", "index", "successes"])
def test_a_store_through_a_mapping_that_sets_no_time_is_noticed(bench: Bench, lost: str) -> None:
    """Whatever of what was remembered the run has to go by."""
    run_until_settled(bench)
    source = bench.root / "source"
    with source.open("r+b") as file, mmap.mmap(file.fileno(), 5) as mapped:
        # The first since the page was last written to the disk sets the time, on most file systems.
        mapped[0] = ord("F")
        mapped.flush()
        mapped[1] = ord("I")
        first = identity(source)
        run_until_settled(bench)
        assert (bench.root / "out").read_bytes() == b"FIrst"
        if lost:
            remove(bench.state / lost)
        mapped[2] = ord("R")
        assert identity(source) == first
        bench.run(copy)
        assert (bench.root / "out").read_bytes() == b"FIRst"
    assert run_until_settled(bench)[-1] == 0


def test_an_output_to_which_somebody_still_writes_is_looked_at_again(bench: Bench) -> None:
    with ExitStack() as stack:

        def copy_slowly(root: Path) -> None:
            copy(root)
            file = stack.enter_context((root / "out").open("r+b"))
            mapped = stack.enter_context(mmap.mmap(file.fileno(), 5))
            mapped[0] = ord("F")
            let_a_tick_pass(root.parent)
            stores.append(mapped)

        stores: list[mmap.mmap] = []
        bench.run(copy_slowly)
        out = bench.root / "out"
        first = identity(out)
        stores[0][1] = ord("I")
        assert identity(out) == first
        assert out.read_bytes() == b"FIrst"
        assert bench.run(copy) == {"copy": "restored"}
        assert out.read_bytes() == b"First"


def test_an_input_to_which_somebody_writes_while_its_task_runs_is_another(bench: Bench) -> None:
    source = bench.root / "source"
    with source.open("r+b") as file, mmap.mmap(file.fileno(), 5) as mapped:
        mapped[0] = ord("F")
        first = identity(source)
        let_a_tick_pass(bench.root.parent)
        engine = bench.engine()
        assert json.loads(engine.assess("{}"))["copy"]["verdict"]["kind"] == "miss"
        mapped[1] = ord("I")
        assert identity(source) == first
        copy(bench.root)
        sealed = seal(engine, "copy")
    assert sealed["changed_inputs"] == ["source"]
    assert not sealed["stored"]


def test_rules_for_what_is_ignored_are_read_again_while_somebody_writes_them(bench: Bench) -> None:
    bench.tasks = {"copy": task(["*.txt"], ["out"])}
    bench.write("a.txt", "a")
    bench.write("b.txt", "b")
    rules = bench.write(".gitignore", "a.txt\n")
    with rules.open("r+b") as file, mmap.mmap(file.fileno(), 6) as mapped:
        mapped[0] = ord("b")
        first = identity(rules)
        run_until_settled(bench)
        assert set(bench.inputs()) == {b"a.txt"}
        mapped[0] = ord("a")
        assert identity(rules) == first
        let_a_tick_pass(bench.root.parent)
        assert bench.run(copy) == {"copy": "miss"}


def test_a_file_that_is_open_for_writing_is_read_every_time_and_then_no_more(bench: Bench) -> None:
    run_until_settled(bench)
    with (bench.root / "source").open("r+b") as file:
        file.write(b"later")
        file.flush()
        assert run_until_settled(bench)[-1] == 1
    assert run_until_settled(bench)[-1] == 0
