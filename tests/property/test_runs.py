"""Whatever happens to a project between its runs, a run leaves the outputs that its inputs mean.

Edits of every kind are mixed with runs, with damage to the kept state and with the sweep. The steps
are played: they write outputs that follow from the inputs alone, so a reference that looks at every
file says what has to be there after each run. Some edits fall into the middle of a run, when no
reference can say what it should have seen: then the run after it has to be right.

What may happen to files, and the rule that does it:

| edit | rule |
| --- | --- |
| write, anywhere | `write` |
| append | `append` |
| truncate | `truncate` |
| touch | `touch` |
| write of the same size with the same mtime | `change_in_place_and_restore_the_times` |
| rename over another file | `rename_over` |
| rename a directory, swap two | `rename_a_folder`, `swap_folders` |
| swap two files | `swap` |
| chmod | `change_mode`, `change_the_mode_of_an_output` |
| a link made, retargeted | `link`, `retarget_a_link` |
| file to directory and back | `file_to_folder`, `folder_to_file` |
| hard link, and a write through one | `hard_link`, `write_through_a_link_from_outside` |
| delete | `delete`, `delete_an_output` |
| create in an unlisted directory | `create_in_a_new_folder`, `create_deep_in_new_folders` |
| mtime set, back or ahead | `set_the_time_and_change` |
| edit during the walk | `edit_during_the_walk` |
| edit during hashing | `edit_during_hashing` |
| edit in the same tick as a run | `run_and_edit_at_once` |
| clock step | `step_the_clock` |
| copy of the whole tree | `copy_the_project_elsewhere` |
| restore from an archive with old mtimes | `archive`, `restore_the_archive_with_its_old_times` |
| the same by `tar`, over what is there | `pack_an_archive`, `unpack_the_archive` |
| outputs overwritten, made links | `overwrite_an_output`, `make_an_output_a_link` |

Runs remember nothing of what was written within a tick of the clock. `settle` lets ticks pass, so
that the next run relies on what was remembered: only there can it be wrong.

A quarter of a minute as it is; `tests/property/long_runs.py` takes 100,000 steps.
"""

import contextlib
import hashlib
import itertools
import os
import shutil
import tarfile
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from pipec._core import store_sweep
from tests.property.effort import laws
from tests.reference.inputs import Seen, Selection, look
from tests.ticks import TICK, let_a_tick_pass
from tests.unit.core.bench import Bench, pattern, task

BUILD = ["src/**", "!src/**/*.skip", "lit", "late/*/x?", "{lit2,gone/deep}"]
PACK = ["out/**", "src/a"]
OUT = ["out/**"]
PLACES = [
    "src/a",
    "src/b",
    "src/d/a",
    "src/d/e/b",
    "src/x.skip",
    "lit",
    "lit2",
    "late/n/x1",
    "late/m/x2",
    "gone/deep",
    "src",
    "src/d",
    "other",
]
OUTPUTS = ["out/sum", "out/a", "out/d/run", "out/link", "out/empty", "out/swing", "out/x", "pack"]

files = st.sampled_from(PLACES)
texts = st.sampled_from([b"", b"1", b"2", b"one", b"two", b"\0" * 40, b"x" * 200])
numbers = st.integers(0, 10**6)


def selected(root: Path, rules: list[str], outputs: list[str]) -> dict[bytes, Seen]:
    """The reference's inputs."""
    patterns = [pattern(rule) for rule in rules]
    return look(root, Selection(patterns, {}, [pattern(rule) for rule in outputs]))


def essence(inputs: dict[bytes, Seen]) -> str:
    """All that may matter of inputs, as one text."""
    lines = [repr((path, seen.kind, seen.contents)) for path, seen in sorted(inputs.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def write_outputs(folder: Path, digest: str) -> None:
    """The outputs of `build`, as different as their inputs: files, modes, links, empty folders."""
    (folder / "d").mkdir(parents=True)
    (folder / "sum").write_text(digest)
    (folder / "a").write_text(digest[0])
    (folder / "d" / "run").write_text("#!/bin/sh\n")
    (folder / "d" / "run").chmod(0o755 if digest[1] in "01234567" else 0o600)
    (folder / "link").symlink_to(digest[2])
    if digest[3] in "01234567":
        (folder / "empty" / digest[4]).mkdir(parents=True)
    if digest[5] in "01234567":
        (folder / "swing").write_text("a file")
    else:
        (folder / "swing" / digest[6]).mkdir(parents=True)
        (folder / "swing" / digest[6] / "file").write_text("in a folder")


def tree(path: Path) -> object:
    """Everything that counts of a path."""
    if path.is_symlink():
        return str(path.readlink())
    if path.is_dir():
        return {child.name: tree(child) for child in path.iterdir()}
    if not path.exists():
        return None
    return path.stat().st_mode & 0o777, path.read_bytes()


def remove(path: Path) -> None:
    """Removes whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


class Runs(RuleBasedStateMachine):
    """One project, edited and run again and again."""

    # What all of them did: steps, runs, runs that listed no folder, hits.
    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="pipec-runs-"))
        self.moves = 0
        self.bench = Bench(self.base / "p", {"build": task(BUILD, OUT), "pack": self.packing()})
        self.bench.root.mkdir()
        # What has been made: it has to be found again.
        self.made: set[str] = set()
        # A damaged blob of the right size, or an entry that was swept while its outputs were still
        # in place, is missed when it is needed, and that may be late.
        self.may_forget = False
        # What else may become of a hit, when something is in the way of its outputs.
        self.obstacle: list[str] = []

    def packing(self) -> dict[str, object]:
        return task(PACK, ["pack"], depends_on=["build"])

    def teardown(self) -> None:
        shutil.rmtree(self.base)

    @invariant()
    def count(self) -> None:
        """Asked after every step."""
        self.done["steps"] += 1

    # --- runs ----------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        for place in ("src/a", "src/d/a", "lit"):
            self.put(place, b"1")
        self.run()

    @rule()
    def run(self) -> None:
        built = essence(selected(self.bench.root, BUILD, OUT))
        outcome = self.bench.run({"build": self.build, "pack": self.pack})
        self.tally(outcome)
        if built in self.made and not self.may_forget:
            assert outcome["build"] in ("intact", "restored", *self.obstacle)
        self.made.add(built)
        self.obstacle = []
        assert not list(self.base.glob("elsewhere/*"))
        expected = self.base / "expected"
        write_outputs(expected, built)
        assert tree(self.bench.root / "out") == tree(expected)
        shutil.rmtree(expected)
        packed = essence(selected(self.bench.root, PACK, ["pack"]))
        assert (self.bench.root / "pack").read_text() == packed
        assert not list((self.bench.state / "tmp").glob("*"))

    def tally(self, outcome: dict[str, str]) -> None:
        self.done["runs"] += 1
        self.done["runs that listed nothing"] += self.bench.counters["directories_listed"] == 0
        self.done["hits"] += sum(each in ("intact", "restored") for each in outcome.values())

    @rule()
    def run_one_task_only(self) -> None:
        """Another plan: it shares index and store with the other, and has a survey of its own."""
        built = essence(selected(self.bench.root, BUILD, OUT))
        alone = replace(self.bench, tasks={"build": self.bench.tasks["build"]})
        alone.run({"build": self.build})
        self.bench.counters = alone.counters
        self.tally({})
        expected = self.base / "expected"
        write_outputs(expected, built)
        assert tree(self.bench.root / "out") == tree(expected)
        shutil.rmtree(expected)
        self.made.add(built)
        self.obstacle = []

    @rule()
    def settle(self) -> None:
        """Runs until everything is remembered; then a run opens no folder and no file."""
        self.run()
        before = let_a_tick_pass(self.base).stat().st_mtime_ns
        self.run()
        let_a_tick_pass(self.base)
        self.run()
        counters = self.bench.counters
        assert counters["directories_listed"] == 0
        assert counters["files_hashed"] == 0 or self.has_times_after(before - TICK)

    def has_times_after(self, moment: int) -> bool:
        """Whether something says that it was written after a moment, or will be.

        The run that began then remembers nothing of it, even if no clock has come to it yet.
        """
        return any(
            (Path(folder) / name).lstat().st_mtime_ns >= moment
            for folder, folders, names in os.walk(self.bench.root)
            for name in folders + names
            if ".pipec" not in folder
        )

    @rule()
    def run_twice(self) -> None:
        self.run()
        assert set(self.bench.run({}).values()) == {"intact"}

    @rule(edit=st.sampled_from(["write", "none"]), text=texts)
    def run_and_edit_at_once(self, edit: str, text: bytes) -> None:
        """An edit right after a run falls into the same tick of the clock."""
        self.run()
        if edit == "write":
            self.put("src/a", text)
        self.run()

    def build(self, root: Path) -> None:
        remove(root / "out")
        write_outputs(root / "out", essence(selected(root, BUILD, OUT)))

    def pack(self, root: Path) -> None:
        remove(root / "pack")
        (root / "pack").write_text(essence(selected(root, PACK, ["pack"])))

    # --- edits ---------------------------------------------------------------------------------

    def put(self, place: str, text: bytes) -> None:
        """Writes a file whatever is in the way."""
        path = self.bench.root / place
        for folder in reversed(path.relative_to(self.bench.root).parents):
            full = self.bench.root / folder
            if full.is_symlink() or (full.exists() and not full.is_dir()):
                full.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        remove(path)
        path.write_bytes(text)

    def existing(self, number: int) -> Path | None:
        """Some file that is there."""
        found = [
            path
            for place in PLACES
            if (path := self.bench.root / place).is_file() and not path.is_symlink()
        ]
        return found[number % len(found)] if found else None

    @rule(place=files, text=texts)
    def write(self, place: str, text: bytes) -> None:
        self.put(place, text)

    def on_existing(self, number: int, edit: Callable[[Path], object]) -> None:
        path = self.existing(number)
        if path is not None:
            edit(path)

    @rule(number=numbers)
    def append(self, number: int) -> None:
        def edit(path: Path) -> None:
            with path.open("ab") as file:
                file.write(b"+")

        self.on_existing(number, edit)

    @rule(number=numbers)
    def truncate(self, number: int) -> None:
        self.on_existing(number, lambda path: os.truncate(path, path.stat().st_size // 2))

    @rule(number=numbers)
    def touch(self, number: int) -> None:
        self.on_existing(number, lambda path: path.touch())

    @rule(number=numbers)
    def change_in_place_and_restore_the_times(self, number: int) -> None:
        def edit(path: Path) -> None:
            status = path.stat()
            text = bytearray(path.read_bytes() or b"x")
            text[-1] ^= 1
            with path.open("r+b") as file:
                file.write(text)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

        self.on_existing(number, edit)

    @rule(number=numbers, seconds=st.sampled_from([0, 1, 10**9, 4 * 10**9]))
    def set_the_time_and_change(self, number: int, seconds: int) -> None:
        def edit(path: Path) -> None:
            path.write_bytes(path.read_bytes()[::-1] + b"t")
            os.utime(path, (seconds, seconds))

        self.on_existing(number, edit)

    @rule(one=numbers, other=numbers)
    def rename_over(self, one: int, other: int) -> None:
        target = self.existing(other)
        if target is not None:
            self.on_existing(one, lambda path: path.replace(target))

    @rule(one=numbers, other=numbers)
    def swap(self, one: int, other: int) -> None:
        first, second = self.existing(one), self.existing(other)
        if first is not None and second is not None and not first.samefile(second):
            between = self.bench.root / "between"
            first.rename(between)
            second.rename(first)
            between.rename(second)

    @rule(there=st.booleans())
    def rename_a_folder(self, *, there: bool) -> None:
        names = ("src/d", "src/moved") if there else ("src/moved", "src/d")
        source, target = (self.bench.root / name for name in names)
        if source.is_dir() and not source.is_symlink():
            remove(target)
            source.rename(target)

    @rule(one=st.sampled_from(["src/d", "late/n"]), other=st.sampled_from(["src/e", "late/m"]))
    def swap_folders(self, one: str, other: str) -> None:
        first, second = self.bench.root / one, self.bench.root / other
        if first.is_dir() and second.is_dir() and not (first.is_symlink() or second.is_symlink()):
            between = self.bench.root / "between"
            first.rename(between)
            second.rename(first)
            between.rename(second)

    @rule(number=numbers, mode=st.sampled_from([0o644, 0o755, 0o600, 0o711, 0o444]))
    def change_mode(self, number: int, mode: int) -> None:
        self.on_existing(number, lambda path: path.chmod(mode))

    @rule(place=files, text=st.sampled_from(["a", "../lit", "nowhere", "d", "../other", "."]))
    def link(self, place: str, text: str) -> None:
        self.put(place, b"")
        (self.bench.root / place).unlink()
        (self.bench.root / place).symlink_to(text)

    @rule(number=numbers, text=st.sampled_from(["b", "../lit2", "e"]))
    def retarget_a_link(self, number: int, text: str) -> None:
        found = [path for place in PLACES if (path := self.bench.root / place).is_symlink()]
        if found:
            path = found[number % len(found)]
            path.unlink()
            path.symlink_to(text)

    @rule(place=st.sampled_from(["src/d", "src/d/e", "late/n", "late", "gone", "src/a", "lit"]))
    def folder_to_file(self, place: str) -> None:
        if (self.bench.root / place).is_dir():
            self.put(place, b"no folder any more")

    @rule(place=files)
    def file_to_folder(self, place: str) -> None:
        self.put(place, b"")
        (self.bench.root / place).unlink()
        (self.bench.root / place).mkdir()
        self.put(f"{place}/x1", b"below")

    @rule(number=numbers, place=files)
    def hard_link(self, number: int, place: str) -> None:
        path = self.existing(number)
        if path is not None and path != self.bench.root / place:
            text = path.read_bytes()
            self.put(place, text)
            if path.is_file():
                (self.bench.root / place).unlink()
                (self.bench.root / place).hardlink_to(path)

    @rule(number=numbers, text=texts)
    def write_through_a_link_from_outside(self, number: int, text: bytes) -> None:
        """Another name of the file, in a folder of which no run knows."""

        def edit(path: Path) -> None:
            outside = self.base / "outside"
            remove(outside)
            outside.hardlink_to(path)
            outside.write_bytes(text)

        self.on_existing(number, edit)

    @rule(place=files)
    def delete(self, place: str) -> None:
        if not any(folder.is_symlink() for folder in (self.bench.root / place).parents):
            remove(self.bench.root / place)

    @rule(name=st.sampled_from(["n", "o", "\udcff", "a\nb"]), text=texts)
    def create_in_a_new_folder(self, name: str, text: bytes) -> None:
        self.put(f"late/{name}/x1", text)

    @rule(text=texts, depth=st.integers(1, 4))
    def create_deep_in_new_folders(self, text: bytes, depth: int) -> None:
        self.put("/".join(["src", *["new"] * depth, "x1"]), text)
        self.put("/".join(["late", *["new"] * depth, "x1"]), text)

    @rule(seconds=st.sampled_from([-3600, -1, 1, 3600, 10**6]))
    def step_the_clock(self, seconds: int) -> None:
        """All times as they would be if the clock had always been wrong by so much."""
        for path in self.bench.root.rglob("*"):
            if path.is_file() and not path.is_symlink() and ".pipec" not in path.parts:
                status = path.stat()
                moved = max(0, status.st_mtime_ns + seconds * 10**9)
                os.utime(path, ns=(status.st_atime_ns, moved))
        now_ms = self.bench.request.get("now_ms", 1_000_000)
        self.bench.request["now_ms"] = max(0, now_ms + seconds * 1000)

    @rule()
    def archive(self) -> None:
        remove(self.base / "archive")
        shutil.copytree(
            self.bench.root,
            self.base / "archive",
            symlinks=True,
            ignore=shutil.ignore_patterns(".pipec"),
        )

    @precondition(lambda self: (self.base / "archive").is_dir())
    @rule(is_clean=st.booleans())
    def restore_the_archive_with_its_old_times(self, *, is_clean: bool) -> None:
        for path in list(self.bench.root.iterdir()):
            if path.name != ".pipec" and (
                is_clean or os.path.lexists(self.base / "archive" / path.name)
            ):
                remove(path)
        shutil.copytree(self.base / "archive", self.bench.root, symlinks=True, dirs_exist_ok=True)
        self.look_for_obstacles()

    def look_for_obstacles(self) -> None:
        """An archive may hold a link where outputs have to lie in a folder."""
        if any((self.bench.root / place).is_symlink() for place in ("out", "out/d")):
            self.obstacle = ["unrestorable"]

    @rule()
    def pack_an_archive(self) -> None:
        with tarfile.open(self.base / "archive.tar", "w") as archive:
            for path in self.bench.root.iterdir():
                if path.name != ".pipec":
                    archive.add(path, path.name)

    @precondition(lambda self: (self.base / "archive.tar").is_file())
    @rule()
    def unpack_the_archive(self) -> None:
        """As `tar -x` does: old times, names that the archive lacks left alone."""
        with tarfile.open(self.base / "archive.tar") as archive:
            for member in archive.getmembers():
                path = self.bench.root / member.name
                if not member.isdir() or not path.is_dir() or path.is_symlink():
                    self.put(member.name, b"")
                    path.unlink()
                archive.extract(member, self.bench.root, filter="fully_trusted")
        self.look_for_obstacles()

    @rule()
    def copy_the_project_elsewhere(self) -> None:
        self.moves += 1
        copy = self.base / f"p{self.moves}"
        shutil.copytree(self.bench.root, copy, symlinks=True)
        shutil.rmtree(self.bench.root)
        self.bench.root = copy

    # --- edits in the middle of a run ------------------------------------------------------------

    @rule(texts=st.lists(texts, min_size=2, max_size=4), sleeps=st.booleans())
    def edit_during_the_walk(self, texts: list[bytes], *, sleeps: bool) -> None:
        """Files and folders come and go while they are listed."""

        def edit(turn: int) -> None:
            text = texts[turn % len(texts)]
            self.put(f"src/d/{'abc'[turn % 3]}", text)
            self.put(f"late/{'nm'[turn % 2]}/x1", text)
            if turn % 3 == 0:
                remove(self.bench.root / "src" / "d")

        self.run_meanwhile(edit, sleeps=sleeps)

    @rule(size=st.sampled_from([10, 5000, 300_000]), sleeps=st.booleans())
    def edit_during_hashing(self, size: int, *, sleeps: bool) -> None:
        """One file is written over and over, in place and by a rename, always of the same size."""
        self.put("src/hot", b"a" * size)
        hot, beside = self.bench.root / "src" / "hot", self.bench.root / "beside"

        def edit(turn: int) -> None:
            text = bytes([97 + turn % 5]) * size
            if turn % 4:
                with hot.open("r+b") as file:
                    file.write(text)
            else:
                beside.write_bytes(text)
                beside.replace(hot)

        self.run_meanwhile(edit, sleeps=sleeps)
        # Large contents are slow to compare: they stay for one run.
        self.put("src/hot", b"cold")

    def run_meanwhile(self, edit: Callable[[int], object], *, sleeps: bool) -> None:
        """Runs while somebody edits; then, when nobody does, a run has to be right."""
        stop = threading.Event()

        def go_on() -> None:
            for turn in itertools.count():
                edit(turn)
                if stop.wait(0.001) if sleeps else stop.is_set():
                    return

        editor = threading.Thread(target=go_on)
        editor.start()
        try:
            # A file that is written without a pause cannot be read, or is gone when it should be.
            with contextlib.suppress(OSError):
                self.bench.run({"build": self.build, "pack": self.pack})
        finally:
            stop.set()
            editor.join()
        # Its steps may have been cut short anywhere.
        self.obstacle = ["unrestorable"]
        self.run()

    # --- outputs -------------------------------------------------------------------------------

    @rule(place=st.sampled_from([*OUTPUTS, "out"]))
    def delete_an_output(self, place: str) -> None:
        remove(self.bench.root / place)

    @rule(place=st.sampled_from([*OUTPUTS, "out/d/more"]), text=texts)
    def overwrite_an_output(self, place: str, text: bytes) -> None:
        self.put(place, text)

    @rule(place=st.sampled_from(["out/link", "out/d", "out/x", "out"]))
    def make_an_output_a_link(self, place: str) -> None:
        self.put(place, b"")
        (self.bench.root / place).unlink()
        elsewhere = self.base / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        (self.bench.root / place).symlink_to(elsewhere)
        self.obstacle = ["unrestorable"]

    @rule(mode=st.sampled_from([0o755, 0o644, 0o400]))
    def change_the_mode_of_an_output(self, mode: int) -> None:
        path = self.bench.root / "out" / "sum"
        if path.is_file():
            path.chmod(mode)

    # --- state ---------------------------------------------------------------------------------

    def state_files(self) -> list[Path]:
        return sorted(path for path in self.bench.state.rglob("*") if path.is_file())

    @precondition(lambda self: bool(self.state_files()))
    @rule(number=numbers, at=numbers, damage=st.sampled_from(["flip", "cut", "remove", "grow"]))
    def damage_the_state(self, number: int, at: int, damage: str) -> None:
        found = self.state_files()
        path = found[number % len(found)]
        text = bytearray(path.read_bytes())
        if damage == "remove":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(text[: at % (len(text) + 1)])
        elif damage == "grow":
            path.write_bytes(text + b"0")
        elif text:
            text[at % len(text)] ^= 1 << (at % 8)
            path.write_bytes(text)
        self.may_forget = True

    @rule(most=st.sampled_from([None, 0, 3000]), dry=st.booleans())
    def sweep(self, most: int | None, *, dry: bool) -> None:
        store_sweep(
            str(self.bench.state), now_ms=2_000_000, max_age_ms=None, max_bytes=most, dry=dry
        )
        self.may_forget |= most is not None and not dry


TestRuns = Runs.TestCase
TestRuns.settings = laws(30, stateful_step_count=40)
