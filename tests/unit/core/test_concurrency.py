"""Several threads on one engine, and several engines on one project."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipec._core import store_sweep
from tests.unit.core.bench import Bench, decide, seal, snapshot, task

TASKS = 24


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Tasks that share inputs and make the same large output under their own names."""
    tasks = {
        f"t{number}": task(["in/**", f"own{number}"], [f"out{number}/**"])
        for number in range(TASKS)
    }
    bench = Bench(tmp_path, tasks)
    for number in range(40):
        bench.write(f"in/{number}", str(number))
    return bench


def make(bench: Bench, name: str) -> None:
    """The outputs of one task."""
    folder = f"out{name[1:]}"
    bench.write(f"{folder}/same", b"0123456789abcdef" * 100_000)
    bench.write(f"{folder}/{name}", name)


def outputs(bench: Bench) -> dict[str, object]:
    return {
        f"{folder.name}/{name}": what
        for folder in bench.root.glob("out*")
        for name, what in snapshot(folder).items()
    }


def test_tasks_of_one_engine_are_decided_sealed_and_restored_from_many_threads(
    bench: Bench,
) -> None:
    engine = bench.engine()

    def run(name: str) -> bool:
        decide(engine, name)
        make(bench, name)
        return bool(seal(engine, name)["stored"])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, bench.tasks))
        list(pool.map(lambda _: engine.save(), range(8)))
    wanted = outputs(bench)
    for folder in bench.root.glob("out*"):
        shutil.rmtree(folder)
    engine = bench.engine()

    def restore(name: str) -> str:
        kind = decide(engine, name)["verdict"]["kind"]
        engine.restore(name)
        return str(kind)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(restore, bench.tasks)) == {"hit"}
    assert outputs(bench) == wanted


def test_many_threads_assess_at_once_and_agree(bench: Bench) -> None:
    engine = bench.engine()
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: engine.assess("{}"), range(16)))
    assert len(answers) == 1
    assert set(json.loads(answers.pop())) == set(bench.tasks)


def test_two_engines_that_store_and_restore_at_once_leave_whole_outputs(bench: Bench) -> None:
    for name in bench.tasks:
        make(bench, name)
    wanted = outputs(bench)

    def run(_: int) -> None:
        engine = bench.engine()
        for name in bench.tasks:
            if decide(engine, name)["verdict"]["kind"] == "hit":
                engine.restore(name)
            else:
                seal(engine, name)
        engine.save()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(8)))
    assert outputs(bench) == wanted
    for folder in bench.root.glob("out*"):
        shutil.rmtree(folder)
    run(0)
    assert outputs(bench) == wanted


def test_one_task_in_two_engines_ends_with_one_entry(bench: Bench) -> None:
    def run(_: int) -> str:
        engine = bench.engine()
        decide(engine, "t0")
        return str(seal(engine, "t0")["trouble"])

    make(bench, "t0")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(run, range(16))) == {""}
    counted = store_sweep(str(bench.state), now_ms=1, max_age_ms=None, max_bytes=None, dry=True)
    assert json.loads(counted)["entries_kept"] == 1
