"""Disks that are full or cannot be written: a clear error, or the work is done all the same."""

import subprocess
import sys

from tests.conftest import Project
from tests.e2e.records import read_records, statuses

PIPELINE = """
name = "app"
[tasks.make]
inputs = ["in"]
outputs = ["out"]
cache = true
run = "echo ran >> runs; echo small > out; seq 5000"
[tasks.more]
depends-on = ["make"]
run = "true"
"""


def run_with_small_files(project: Project, *words: str) -> "subprocess.CompletedProcess[str]":
    """Runs pipec where no file can grow beyond 512 bytes, as on a disk that is full."""
    command = 'ulimit -f 1; exec "$0" -m pipec "$@"'
    return subprocess.run(
        ["sh", "-c", command, sys.executable, *words],
        cwd=project.folder,
        # Python itself would leave half a file of byte code beside the sources.
        env={**project.environment, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_full_disk_stops_no_run_and_runs_no_command_twice(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    done = run_with_small_files(project, "run", "more")
    assert done.returncode == 0, done.stderr
    assert project.read("runs") == "ran\n"
    assert "PIPEC_STATE_UNWRITABLE" in done.stderr
    assert "Traceback" not in done.stderr
    # With room again everything is as if the first run had not been.
    assert project.pipec("run", "more").status == 0
    assert project.pipec("run", "make").status == 0
    last = read_records(project.folder)[-1]
    assert statuses(last) == {"make": "cached"}


def test_a_full_disk_leaves_no_half_record(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    run_with_small_files(project, "run", "more")
    assert read_records(project.folder) == []
    assert project.pipec("runs", "ls").status == 0


def test_a_state_folder_that_cannot_be_written_is_named(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    project.write(".pipec", "not a folder")
    result = project.pipec("run", "make")
    assert result.status == 2
    assert "PIPEC_STATE_UNWRITABLE" in result.stderr
    assert not (project.folder / "runs").exists()


def test_records_that_cannot_be_written_do_not_stop_the_work(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    project.write(".pipec/runs", "not a folder")
    result = project.pipec("run", "make")
    assert result.status == 0
    assert "PIPEC_STATE_UNWRITABLE" in result.stderr
    assert project.read("runs") == "ran\n"


def test_an_input_that_cannot_be_read_fails_its_task(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    # A folder in a loop cannot be read by anybody, whatever their rights.
    (project.folder / "in").symlink_to("in")
    result = project.pipec("run", "make")
    assert result.status == 0
    project.write("pipeline.toml", PIPELINE.replace('"in"', '{ file = "in", key = "x" }'))
    result = project.pipec("run", "make")
    assert result.status == 1
    assert "PIPEC_INPUT_UNREADABLE" in result.stderr or "cannot read the input" in result.stderr
