"""Disks that are really full or read-only: a clear error, or the work is done all the same."""

import pytest

from tests.conftest import Project
from tests.e2e.disks import on_disks

PIPELINE = """
name = "app"
[tasks.make]
inputs = ["in"]
outputs = ["made/out/**"]
cache = true
run = '''
echo ran >> runs
test ! -e made/filler
mkdir -p made/out
cat in in in in > made/out/a
cat in > made/out/b
'''
[tasks.more]
depends-on = ["make"]
run = "true"
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "x" * 8192)
    (project.folder / "made").mkdir()
    (project.folder / ".pipec").mkdir()
    return project


@pytest.mark.parametrize("room", ["size=32k", "size=4m,nr_inodes=12"])
def test_the_work_is_done_once_a_run_when_the_state_folder_is_full(app: Project, room: str) -> None:
    done = on_disks(
        app,
        f"""
        disk .pipec {room}
        pipec run more
        pipec run more
        for record in .pipec/runs/*/execution.json; do "$PYTHON" -m json.tool "$record"; done
        pipec runs ls
        pipec gc
        mount -o remount,size=4m,nr_inodes=0 .pipec
        echo "there is room"
        pipec run more
        pipec run make
        """,
    )
    assert done.returncode == 0, done.stdout
    full, roomy = done.stdout.split("there is room\n")
    assert "warning[PIPEC_STORE_UNAVAILABLE]: make: the outputs cannot be stored: .pipec/" in full
    assert "No space left on device" in full
    assert "Traceback" not in done.stdout
    assert roomy.count("warning[") == 0
    assert "= make" in roomy
    assert app.read("runs") == "ran\n" * 3


def test_a_state_folder_without_room_for_a_lock_is_named(app: Project) -> None:
    done = on_disks(app, "disk .pipec nr_inodes=1\npipec run more")
    assert done.returncode == 2
    assert "PIPEC_STATE_UNWRITABLE" in done.stdout
    assert "No space left on device" in done.stdout
    assert not (app.folder / "runs").exists()


@pytest.mark.parametrize("before", ["", "pipec run more\n"])
def test_a_read_only_state_folder_can_be_looked_at_but_not_run_from(
    app: Project, before: str
) -> None:
    done = on_disks(
        app,
        f"""
        disk .pipec size=4m
        {before}
        lock .pipec
        pipec list && pipec check && pipec show make && pipec graph && pipec compile
        pipec why make && pipec run more --dry && pipec runs ls && pipec cache info
        echo "all was seen"
        for words in "run more" "gc" "cache clear"; do
            pipec $words && exit 1
            test $? = 2
        done
        """,
    )
    assert done.returncode == 0, done.stdout
    refused = done.stdout.split("all was seen\n")[1]
    assert refused.count("error[PIPEC_STATE_UNWRITABLE]") == 3
    assert refused.count("Read-only file system") == 3
    assert (app.folder / "runs").exists() == bool(before)


def test_outputs_for_which_there_is_no_room_are_left_as_they_were(app: Project) -> None:
    done = on_disks(
        app,
        """
        disk made size=64k
        pipec run make
        rm made/out/a
        echo mine > made/out/b
        fill made
        pipec run make && exit 1
        test $? = 1
        test "$(ls made/out) $(cat made/out/b)" = "b mine"
        grep -h -o '"kind": "unreachable"' .pipec/runs/*/execution.json
        empty made
        pipec run make
        cat in in in in | cmp - made/out/a
        cmp in made/out/b
        ls made/out
        """,
    )
    assert done.returncode == 0, done.stdout
    assert "make: the stored outputs cannot be restored: " in done.stdout
    assert "error[PIPEC_STEP_FAILED]" in done.stdout
    # It ran at first, and where it could not be restored; not when there was room again.
    assert app.read("runs") == "ran\n" * 2
    assert done.stdout.endswith("a\nb\n")


def test_outputs_on_a_read_only_disk_are_left_as_they_were(app: Project) -> None:
    done = on_disks(
        app,
        """
        disk made size=4m
        pipec run make
        echo mine > made/out/b
        lock made
        pipec run make && exit 1
        test $? = 1
        test "$(cat made/out/b)" = mine
        unlock made
        pipec run make
        cmp in made/out/b
        """,
    )
    assert done.returncode == 0, done.stdout
    assert "make: the stored outputs cannot be restored: made/out/b: Read-only" in done.stdout
    assert app.read("runs") == "ran\n" * 2


def test_a_full_disk_fails_the_task_that_needs_it(app: Project) -> None:
    done = on_disks(
        app,
        """
        disk made size=16k
        pipec run more && exit 1
        test $? = 1
        mount -o remount,size=4m made
        pipec run more
        """,
    )
    assert done.returncode == 0, done.stdout
    assert "PIPEC_STEP_FAILED" in done.stdout
    assert app.read("runs") == "ran\n" * 2
