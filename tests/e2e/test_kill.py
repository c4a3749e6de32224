"""`kill -9` of pipec at any instant: the next run knows nothing of it."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records
from tests.e2e.survivors import MARK, assert_none_left

TASKS = 40
INSTANTS = 50
PARTS = 5
END = "end\n"


def write_pipeline(project: Project) -> None:
    """Forty tasks in four layers; each makes two files, whole or not at all, with a helper."""
    lines = ['name = "app"']
    for number in range(TASKS):
        needs = f'["t{number - 10}"]' if number >= 10 else "[]"
        folder = f"out/t{number}"
        make = (
            f"mkdir -p {folder}; sleep 0.01 & for f in a b; do "
            f"{{ cat seed; seq 2000; echo end; }} > {folder}.tmp; mv {folder}.tmp {folder}/$f; "
            "done; wait"
        )
        lines += [
            f"[tasks.t{number}]",
            f"depends-on = {needs}",
            f'inputs = ["seed", "in/{number}"]',
            f'outputs = ["{folder}/**"]',
            "cache = true",
            f'run = "{make}"',
        ]
    lines += ["[tasks.all]", f"depends-on = {[f't{number}' for number in range(TASKS)]}"]
    project.write("pipeline.toml", "\n".join(lines))


def outputs(project: Project) -> dict[str, str]:
    """Every output that is there now."""
    folder = project.folder / "out"
    found = folder.glob("t*/*") if folder.exists() else ()
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def remove_outputs(project: Project) -> None:
    for path in sorted((project.folder / "out").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_that_is_killed_leaves_nothing_that_the_next_one_trips_over(
    project: Project, tmp_path: Path, part: int
) -> None:
    write_pipeline(project)
    instants = random.Random(part)
    words = ("run", "all", "--concurrency", "4")
    project.write("seed", "first\n")
    before = time.monotonic()
    assert project.pipec(*words).status == 0
    whole_run_s = time.monotonic() - before
    for number in range(INSTANTS // PARTS):
        is_restoring = number % 3 == 2
        if is_restoring:
            remove_outputs(project)
        else:
            project.write("seed", f"{part} {number}\n")
        mark = f"{tmp_path}-{number}"
        process = project.start(*words, env={MARK: mark})
        time.sleep(instants.uniform(0, whole_run_s / (4 if is_restoring else 1)))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        assert_none_left(mark)
        assert all(text.endswith(END) for text in outputs(project).values())

        result = project.pipec(*words)
        assert result.status == 0, result.stderr
        assert "warning[" not in result.stderr
        made = outputs(project)
        assert len(made) == 2 * TASKS
        seed = project.read("seed")
        assert all(text.startswith(seed) and text.endswith(END) for text in made.values())
        last = read_records(project.folder)[-1]
        assert last["status"] == "passed"
        assert {record["status"] for record in read_records(project.folder)} <= {
            "passed",
            "interrupted",
        }
    quick = project.pipec(*words)
    assert quick.status == 0
    assert read_records(project.folder)[-1]["counts"]["cached"] == TASKS + 1
