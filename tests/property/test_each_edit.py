"""Each kind of edit of `test_runs.py`, when everything is remembered: there a run can be wrong.

By chance that machine seldom comes to an edit when nothing else has happened since. Here each edit
is the only one, to a file that is an input, and the run after it has to see it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.property.test_runs import Runs

Edit = Callable[[Runs], object]


def rename_over_alike(runs: Runs) -> None:
    """A file of the same size, with the same times as far as they can be set."""
    path, beside = runs.bench.root / "src/a", runs.bench.root / "beside"
    status = path.stat()
    beside.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    os.utime(beside, ns=(status.st_atime_ns, status.st_mtime_ns))
    beside.replace(path)


def swap_alike(runs: Runs) -> None:
    """Two files that only their inodes and contents tell apart."""
    for name in ("a", "b"):
        os.utime(runs.bench.root / "src" / name, (10**9, 10**9))
    runs.settle()
    runs.swap(0, 1)


def swap_folders_made_at_once(runs: Runs) -> None:
    """Files that only their inodes tell apart, where times have ticks: a checkout has such."""
    places = [runs.bench.root / "late" / name / "x1" for name in ("n", "m")]
    for _ in range(100):
        for number, path in enumerate(places):
            path.write_bytes(b"%d" % number)
        first, second = (path.stat() for path in places)
        if (first.st_mtime_ns, first.st_ctime_ns) == (second.st_mtime_ns, second.st_ctime_ns):
            break
    runs.settle()
    runs.swap_folders("late/n", "late/m")


def make_a_link_anew(runs: Runs) -> None:
    """In one tick with the run that reads it; some file systems give it the same inode."""
    runs.link("src/b", "a")
    runs.run()
    runs.link("src/b", "d")


def change_what_a_link_leads_to(runs: Runs, make: Callable[[Path], object]) -> None:
    """Where a pattern could lead through a link, it counts whether that leads to a folder."""
    target = runs.base / "target"
    target.mkdir()
    (runs.bench.root / "late" / "link").symlink_to(target)
    runs.settle()
    target.rmdir()
    make(target)


def change_an_output_alike(runs: Runs) -> None:
    path = runs.bench.root / "out" / "sum"
    status = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def through_an_archive(runs: Runs) -> None:
    runs.archive()
    runs.restore_the_archive_with_its_old_times(is_clean=True)


# The first file that is there is `src/a`, the second `src/b`.
EDITS: dict[str, Edit] = {
    "write": lambda runs: runs.write("src/a", b"2"),
    "write anew": lambda runs: runs.write("src/d/e/b", b"2"),
    "append": lambda runs: runs.append(0),
    "truncate": lambda runs: runs.truncate(0),
    "write of the same size": lambda runs: (runs.bench.root / "src/a").write_bytes(b"2"),
    "write of the same size and time": lambda runs: runs.change_in_place_and_restore_the_times(0),
    "time set back": lambda runs: runs.set_the_time_and_change(0, 1),
    "time set ahead": lambda runs: runs.set_the_time_and_change(0, 4 * 10**9),
    "rename over": lambda runs: runs.rename_over(1, 0),
    "rename over with the same size and time": rename_over_alike,
    "swap of two files": lambda runs: runs.swap(0, 1),
    "swap of two files of one size and time": swap_alike,
    "rename of a folder": lambda runs: runs.rename_a_folder(there=True),
    "swap of two folders": lambda runs: runs.swap_folders("late/n", "late/m"),
    "swap of two folders made at once": swap_folders_made_at_once,
    "mode": lambda runs: runs.change_mode(0, 0o755),
    "a link": lambda runs: runs.link("src/b", "a"),
    "a link made anew at once": make_a_link_anew,
    "another target of a link": lambda runs: runs.retarget_a_link(0, "../lit2"),
    "a link whose target becomes a file": lambda runs: change_what_a_link_leads_to(
        runs, Path.touch
    ),
    "a link whose target goes": lambda runs: change_what_a_link_leads_to(runs, lambda _: None),
    "a file that becomes a folder": lambda runs: runs.file_to_folder("src/a"),
    "a folder that becomes a file": lambda runs: runs.folder_to_file("src/d"),
    "a hard link": lambda runs: runs.hard_link(1, "src/a"),
    "a write through another name": lambda runs: runs.write_through_a_link_from_outside(0, b"2"),
    "delete": lambda runs: runs.delete("src/a"),
    "a new folder": lambda runs: runs.create_in_a_new_folder("o", b"2"),
    "new folders, deep": lambda runs: runs.create_deep_in_new_folders(b"2", 3),
    "a literal that comes": lambda runs: runs.write("gone/deep", b"2"),
    "a literal that goes": lambda runs: runs.delete("lit"),
}

# What changes no input: the result has to be there again.
HARMLESS: dict[str, Edit] = {
    "touch": lambda runs: runs.touch(0),
    "a mode that is not executable": lambda runs: runs.change_mode(0, 0o600),
    "clock step": lambda runs: runs.step_the_clock(-3600),
    "copy of the whole tree": lambda runs: runs.copy_the_project_elsewhere(),
    "archive with old times": through_an_archive,
    "archive of tar": lambda runs: (runs.pack_an_archive(), runs.unpack_the_archive()),
    "an output that goes": lambda runs: runs.delete_an_output("out/sum"),
    "an output that is another": lambda runs: runs.overwrite_an_output("out/sum", b"2"),
    "an output of the same size and time": change_an_output_alike,
    "the mode of an output": lambda runs: runs.change_the_mode_of_an_output(0o400),
    "another run that was swept": lambda runs: runs.sweep(None, dry=False),
}


@pytest.fixture
def runs() -> Iterator[Runs]:
    """A project in which something of everything is there, and nothing has to be read again."""
    runs = Runs()
    places = ["src/a", "src/b", "src/d/a", "src/d/e/b", "lit", "lit2", "late/n/x1", "late/m/x2"]
    for number, place in enumerate(places):
        runs.put(place, b"%d" % number)
    runs.link("late/m/x2", "../../lit")
    runs.run()
    runs.settle()
    yield runs
    with suppress(FileNotFoundError):
        runs.teardown()


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edit_is_seen_by_the_next_run(runs: Runs, edit: Edit) -> None:
    edit(runs)
    runs.run()
    runs.settle()


@pytest.mark.parametrize("edit", HARMLESS.values(), ids=HARMLESS.keys())
def test_a_result_is_there_again_when_nothing_that_it_is_made_of_changed(
    runs: Runs, edit: Edit
) -> None:
    edit(runs)
    outcome = runs.bench.run({})
    assert set(outcome.values()) <= {"intact", "restored"}
    runs.run()
