"""What a hit does to the disk: exactly the stored outputs, or nothing at all."""

import json
import os
import shutil
import socket
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pipec._core import store_sweep
from tests.reference.blake3 import blake3
from tests.reference.packs import ENTRY, append, put_blob, records
from tests.unit.core.bench import Bench, decide, seal, snapshot, task

Write = Callable[[Bench], object]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A task that reads `in` and owns everything in `out` but `out/mine`."""
    bench = Bench(tmp_path / "p", {"t": task(["in"], ["out/**", "!out/mine", "!out/mine/**"])})
    bench.write("in", "1")
    return bench


def make(bench: Bench) -> Callable[[Path], None]:
    """Steps with every kind of output."""

    def steps(_: Path) -> None:
        bench.write("out/a", "text", 0o644)
        bench.write("out/run", "#!/bin/sh\n", 0o755)
        bench.write("out/secret", "s", 0o600)
        bench.write("out/deep/er/b", b"\0\xff" * 1000, 0o640)
        bench.write("out/large", b"0123456789abcdef" * 100_000, 0o644)
        bench.write("out/\udcff\n\U0001f600 '\"", "strange")
        (bench.root / "out" / "link").symlink_to("a")
        (bench.root / "out" / "broken").symlink_to("\udcff/nowhere")
        (bench.root / "out" / "folder-link").symlink_to("deep/er")
        (bench.root / "out" / "empty" / "empty").mkdir(parents=True)

    return steps


def unlink_all(folder: Path) -> None:
    """Removes a folder and everything in it; a link or a file too."""
    if folder.is_dir() and not folder.is_symlink():
        for path in folder.iterdir():
            unlink_all(path)
        folder.rmdir()
    else:
        folder.unlink()


def replace_file_by_folder(bench: Bench) -> None:
    (bench.root / "out" / "a").unlink()
    bench.write("out/a/x/y", "in the way")
    (bench.root / "out" / "a" / "z").mkdir()


def replace_folder_by_file(bench: Bench) -> None:
    unlink_all(bench.root / "out" / "deep")
    bench.write("out/deep", "in the way")


def replace_empty_folder_by_file(bench: Bench) -> None:
    (bench.root / "out/empty/empty").rmdir()
    bench.write("out/empty/empty", "in the way")


def replace_link_by_folder(bench: Bench) -> None:
    (bench.root / "out" / "link").unlink()
    bench.write("out/link/x", "in the way")


def replace_folder_by_pipe(bench: Bench) -> None:
    unlink_all(bench.root / "out" / "deep")
    os.mkfifo(bench.root / "out" / "deep")


def swap_two(bench: Bench) -> None:
    out = bench.root / "out"
    (out / "a").rename(out / "swap")
    (out / "run").rename(out / "a")
    (out / "swap").rename(out / "run")


def flip_modes(bench: Bench) -> None:
    for path in (bench.root / "out").iterdir():
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode ^ 0o111)


DAMAGE: dict[str, Write] = {
    "all gone": lambda bench: unlink_all(bench.root / "out"),
    "one gone": lambda bench: (bench.root / "out" / "a").unlink(),
    "one edited": lambda bench: bench.write("out/a", "tex2"),
    "one longer": lambda bench: bench.write("out/a", "text and more"),
    "one file more": lambda bench: bench.write("out/new/er", "x"),
    "an empty folder more": lambda bench: (bench.root / "out/more/more").mkdir(parents=True),
    "a file in an empty folder": lambda bench: bench.write("out/empty/empty/x", "x"),
    "a file where an empty folder was": replace_empty_folder_by_file,
    "an empty folder gone": lambda bench: (bench.root / "out/empty/empty").rmdir(),
    "a folder where a file was": replace_file_by_folder,
    "a file where a folder was": replace_folder_by_file,
    "a folder where a link was": replace_link_by_folder,
    "a pipe where a folder was": replace_folder_by_pipe,
    "a link to itself": lambda bench: (bench.root / "out" / "loop").symlink_to("loop"),
    "a link into the out": lambda bench: (bench.root / "out" / "in").symlink_to("../in"),
    "two swapped": swap_two,
    "other modes": flip_modes,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_hit_restores_every_output_exactly(bench: Bench, damage: str) -> None:
    assert bench.run(make(bench)) == {"t": "miss"}
    wanted = snapshot(bench.root / "out")
    assert bench.run(make(bench)) == {"t": "intact"}
    DAMAGE[damage](bench)
    assert bench.run(make(bench)) == {"t": "restored"}
    assert snapshot(bench.root / "out") == wanted
    assert bench.run(make(bench)) == {"t": "intact"}


def test_files_that_the_task_does_not_own_stay(bench: Bench) -> None:
    bench.run(make(bench))
    bench.write("out/mine/x", "mine")
    bench.write("out/more/x", "not mine")
    assert bench.run(make(bench)) == {"t": "restored"}
    assert (bench.root / "out/mine/x").read_text() == "mine"
    assert not (bench.root / "out/more").exists()


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_not_owned_but_in_the_way_stops_a_restore_before_it_begins(
    tmp_path: Path, kind: str
) -> None:
    bench = Bench(tmp_path, {"t": task(["in"], ["out/**", "!**/keep"])})
    bench.write("in", "1")
    bench.run(lambda _: (bench.write("out/a/b", "1"), bench.write("out/z", "2")))
    unlink_all(bench.root / "out")
    bench.write("out/extra", "extra")
    if kind == "folder":
        bench.write("out/a/b/keep", "not the task's own")
    else:
        bench.tasks["t"]["outputs"] = [{"glob": "out/**"}, {"glob": "**/keep", "exclude": True}]
        bench.write("out/z/keep", "not the task's own")
    before = snapshot(bench.root)
    engine = bench.engine()
    assert decide(engine, "t")["verdict"]["kind"] == "hit"
    with pytest.raises(OSError, match="out"):
        engine.restore("t")
    after = snapshot(bench.root)
    assert {k: v for k, v in after.items() if k.startswith("out")} == {
        k: v for k, v in before.items() if k.startswith("out")
    }


def test_an_unowned_file_where_a_folder_must_be_stops_a_restore_before_it_begins(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, {"t": task(["in"], ["out/a/b", "out/x*"])})
    bench.write("in", "1")
    bench.run(lambda _: (bench.write("out/a/b", "1"), bench.write("out/x1", "2")))
    unlink_all(bench.root / "out")
    bench.write("out/a", "not the task's own")
    bench.write("out/x2", "the task's own")
    engine = bench.engine()
    assert decide(engine, "t")["verdict"]["kind"] == "hit"
    with pytest.raises(OSError, match="out"):
        engine.restore("t")
    assert snapshot(bench.root / "out") == {
        "a": (0o644, b"not the task's own"),
        "x2": (0o644, b"the task's own"),
    }


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, whom no folder keeps out."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_restore_that_is_refused_in_the_middle_takes_everything_back() -> None:
    root = Path(tempfile.mkdtemp())
    bench = Bench(root, {"t": task(["in"], ["out/**"])})
    bench.write("in", "1")

    def steps(_: Path) -> None:
        for name in ("a", "b", "locked/x", "locked/y", "z", "folder"):
            bench.write(f"out/{name}", name)
        (root / "out" / "link").symlink_to("a")
        (root / "out" / "empty").mkdir()

    bench.run(steps)
    bench.write("out/a", "edited")
    bench.write("out/more/er", "extra")
    (root / "out" / "more" / "empty").mkdir()
    (root / "out" / "empty").rmdir()
    (root / "out" / "folder").unlink()
    (root / "out" / "folder").mkdir()
    (root / "out" / "link").unlink()
    (root / "out" / "z").unlink()
    (root / "out" / "locked" / "x").unlink()
    before = snapshot(root / "out")
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            os.chown(path, 65534, 65534)
    (root / "out" / "locked").chmod(0o555)
    with as_nobody():
        engine = bench.engine()
        assert decide(engine, "t")["verdict"]["kind"] == "hit"
        with pytest.raises(PermissionError, match="locked"):
            engine.restore("t")
    assert snapshot(root / "out") == before
    (root / "out" / "locked").chmod(0o755)
    assert bench.run(steps) == {"t": "restored"}
    shutil.rmtree(root)


@pytest.mark.parametrize("place", ["out", "out/deep", "out/deep/er"])
def test_an_output_folder_that_is_now_a_link_leads_nothing_out(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory, place: str
) -> None:
    bench.run(make(bench))
    wanted = snapshot(bench.root / "out")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "b").write_text("precious")
    (elsewhere / "er").mkdir()
    (elsewhere / "er" / "b").write_text("precious")
    before = snapshot(elsewhere)
    unlink_all(bench.root / place)
    (bench.root / place).symlink_to(elsewhere)

    def steps(root: Path) -> None:
        unlink_all(root / "out")
        make(bench)(root)

    assert bench.run(steps) in ({"t": "restored"}, {"t": "unrestorable"})
    assert snapshot(elsewhere) == before
    assert snapshot(bench.root / "out") == wanted


def test_what_lies_behind_a_link_is_no_output(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (bench.root / "out").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    engine = bench.engine()
    decide(engine, "t")
    bench.write("out/a", "behind the link")
    sealed = seal(engine, "t")
    assert sealed["missing"] == ["out/**"]
    assert not sealed["stored"]


# --- entries that only an enemy would make -----------------------------------------------------


def manifest(*entries: tuple[bytes, str, str, int, int]) -> bytes:
    """A manifest as the core writes it: path, kind, digest, mode, size."""
    encoded = b"pipec manifest 1\n" + struct.pack("<Q", len(entries))
    for path, kind, digest, mode, size in entries:
        encoded += struct.pack("<Q", len(path)) + path + kind.encode()
        encoded += bytes.fromhex(digest) + struct.pack("<IQ", mode, size)
    return encoded


def forge(bench: Bench, outputs: bytes) -> None:
    """Makes the only entry stand for other outputs, with all its checksums right."""
    (entry,) = (record for record in records(bench.state).values() if record.kind == ENTRY)
    fields = json.loads(entry.contents.split(b"\n", 1)[1])
    fields["outputs"] = put_blob(bench.state, outputs)
    text = json.dumps(fields, separators=(",", ":")).encode()
    append(bench.state, ENTRY, entry.key, blake3(text).encode() + b"\n" + text)


EVIL = b"evil"
FILE = ("f", blake3(EVIL), 0o644, 4)
OUTWARD = ("l", blake3(b"../../elsewhere"), 0o777, 0)
FOLDER = ("d", blake3(b""), 0o755, 0)

HOSTILE = {
    "upwards": [(b"out/../../elsewhere/x", *FILE)],
    "absolute": [(b"/tmp/elsewhere/x", *FILE)],
    "not owned": [(b"in", *FILE)],
    "not owned below": [(b"out/mine/x", *FILE)],
    "a dot": [(b"out/./x", *FILE)],
    "empty": [(b"", *FILE)],
    "an empty name": [(b"out//x", *FILE)],
    "a NUL": [(b"out/a\0b", *FILE)],
    "a link that leads out and a file through it": [
        (b"out/door", *OUTWARD),
        (b"out/door/x", *FILE),
    ],
    "a link and a file far through it": [
        (b"out/door", *OUTWARD),
        (b"out/door-x", *FILE),
        (b"out/door/deep/x", *FILE),
    ],
    "a file and a file in it": [(b"out/a", *FILE), (b"out/a/b", *FILE)],
    "an empty folder and a file in it": [(b"out/a", *FOLDER), (b"out/a/b", *FILE)],
    "twice": [(b"out/a", *FILE), (b"out/a", *FILE)],
    "out of order": [(b"out/b", *FILE), (b"out/a", *FILE)],
    "missing": [(b"out/a", "m", blake3(EVIL), 0, 0)],
    "of no kind": [(b"out/a", "?", blake3(EVIL), 0, 0)],
    "a name too long": [(b"out/" + b"x" * 300, *FILE)],
    "a path too long": [(b"out/" + b"x/" * 3000 + b"x", *FILE)],
    "a blob that is not there": [(b"out/a", "f", blake3(b"nowhere"), 0o644, 7)],
    "a link with a NUL": [(b"out/a", "l", blake3(b"a\0b"), 0o777, 0)],
    "a link to nothing": [(b"out/a", "l", blake3(b""), 0o777, 0)],
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_an_entry_that_no_task_would_make_changes_nothing(bench: Bench, hostile: str) -> None:
    bench.run(make(bench))
    for contents in (EVIL, b"../../elsewhere", b"", b"a\0b"):
        put_blob(bench.state, contents)
    elsewhere = bench.root.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    forge(bench, manifest(*HOSTILE[hostile]))
    bench.write("out/more", "extra")
    before = snapshot(bench.root / "out")
    engine = bench.engine()
    if decide(engine, "t")["verdict"]["kind"] == "hit":
        with pytest.raises(OSError, match=r"."):
            engine.restore("t")
    assert snapshot(bench.root / "out") == before
    assert list(elsewhere.iterdir()) == []
    store_sweep(
        str(bench.state), now_ms=1_000_000, max_age_ms=None, max_bytes=10_000_000, dry=False
    )


@pytest.mark.parametrize("place", [".git/hooks/post-commit", "a/.pipec/x", ".pipec/cache/index"])
def test_an_entry_never_writes_where_outputs_never_are(tmp_path: Path, place: str) -> None:
    bench = Bench(tmp_path, {"t": task(["in"], ["**", "!in"])})
    bench.write("in", "1")
    bench.run(lambda _: bench.write("a/x", "1"))
    put_blob(bench.state, EVIL)
    forge(bench, manifest((place.encode(), *FILE)))
    (bench.root / "a" / "x").unlink()
    engine = bench.engine()
    assert decide(engine, "t")["verdict"]["kind"] == "corrupt"
    assert not (bench.root / ".git").exists()


def test_sizes_beyond_all_bounds_do_not_upset_the_sweep(bench: Bench) -> None:
    bench.run(make(bench))
    put_blob(bench.state, EVIL)
    huge = ("f", blake3(EVIL), 0o644, 2**64 - 1)
    other = ("f", blake3(b"other"), 0o644, 2**64 - 1)
    forge(bench, manifest((b"out/a", *huge), (b"out/b", *other)))
    swept = json.loads(
        store_sweep(str(bench.state), now_ms=1, max_age_ms=None, max_bytes=10**6, dry=False)
    )
    assert swept["entries_removed"] == 1


# --- a damaged store ---------------------------------------------------------------------------


LARGE = "0123456789abcdef" * 6000


def make_three(bench: Bench) -> Callable[[Path], None]:
    """Steps with a small output, a large one and a link."""

    def steps(root: Path) -> None:
        bench.write("out/a", "a" * 50)
        bench.write("out/b", LARGE, 0o755)
        (root / "out" / "l").unlink(missing_ok=True)
        (root / "out" / "l").symlink_to("a" * 40)

    return steps


def is_restored_or_nothing_changed(bench: Bench, wanted: dict[str, object]) -> None:
    """Tries to restore outputs that were damaged."""
    (bench.root / "out" / "a").unlink()
    bench.write("out/b", "edited")
    bench.write("out/extra", "extra")
    before = snapshot(bench.root / "out")
    engine = bench.engine()
    if decide(engine, "t")["verdict"]["kind"] == "hit":
        try:
            engine.restore("t")
        except OSError:
            assert snapshot(bench.root / "out") == before
        else:
            assert snapshot(bench.root / "out") == wanted


def comes_to_itself(bench: Bench, wanted: dict[str, object]) -> None:
    """Runs until nothing is left of any damage."""
    for _ in range(3):
        unlink_all(bench.root / "out")
        bench.run(make_three(bench))
        assert snapshot(bench.root / "out") == wanted
    unlink_all(bench.root / "out")
    assert bench.run(make_three(bench)) == {"t": "restored"}
    assert bench.run(make_three(bench)) == {"t": "intact"}


@pytest.mark.parametrize("part", ["packs/1", "table", "cas/*/*"])
def test_a_store_cut_anywhere_gives_a_restore_or_a_run_and_never_half(
    tmp_path: Path, part: str
) -> None:
    bench = Bench(tmp_path, {"t": task(["in"], ["out/**"])})
    bench.write("in", "1")
    bench.run(make_three(bench))
    wanted = snapshot(bench.root / "out")
    (path,) = bench.state.glob(part)
    whole = path.read_bytes()
    cuts = range(0, len(whole), len(whole) // 40)
    for length in (*cuts, 1, len(whole) - 1):
        path.write_bytes(whole[:length])
        is_restored_or_nothing_changed(bench, wanted)
        comes_to_itself(bench, wanted)


def test_records_of_which_one_bit_is_wrong_are_never_taken_for_right(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"t": task(["in"], ["out/**"])})
    bench.write("in", "1")
    bench.run(make_three(bench))
    wanted = snapshot(bench.root / "out")
    pack, table = (bench.state / name for name in ("packs/1", "table"))
    whole, index = pack.read_bytes(), table.read_bytes()
    for record in records(bench.state).values():
        for has_table in (True, False):
            for at in (record.offset - 60, record.offset - 1, record.offset + 1):
                data = bytearray(whole)
                data[at] ^= 4
                pack.write_bytes(data)
                table.write_bytes(index if has_table else b"")
                is_restored_or_nothing_changed(bench, wanted)
                comes_to_itself(bench, wanted)


def test_a_large_blob_of_which_one_bit_is_wrong_is_never_restored(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"t": task(["in"], ["out/**"])})
    bench.write("in", "1")
    bench.run(make_three(bench))
    wanted = snapshot(bench.root / "out")
    (blob,) = bench.state.glob("cas/*/*")
    whole = blob.read_bytes()
    for at in (0, len(whole) // 2, len(whole) - 1):
        data = bytearray(whole)
        data[at] ^= 4
        blob.write_bytes(data)
        is_restored_or_nothing_changed(bench, wanted)
        comes_to_itself(bench, wanted)


def test_an_entry_of_which_any_byte_is_another_is_none(bench: Bench) -> None:
    bench.run(lambda _: bench.write("out/a", "a"))
    (bench.state / "successes").unlink()
    (entry,) = (record for record in records(bench.state).values() if record.kind == ENTRY)
    whole = entry.pack.read_bytes()
    assert decide(bench.engine(), "t")["verdict"]["kind"] == "hit"
    for at in range(entry.offset, entry.offset + len(entry.contents)):
        data = bytearray(whole)
        data[at] ^= 1
        entry.pack.write_bytes(data)
        assert decide(bench.engine(), "t")["verdict"]["kind"] == "corrupt"


def test_an_entry_that_lies_under_another_key_is_none(bench: Bench) -> None:
    for number in "12":
        bench.write("in", number)
        bench.run(lambda _, text=number: bench.write("out/a", text))
    (bench.state / "successes").unlink()
    one, other = (record for record in records(bench.state).values() if record.kind == ENTRY)
    append(bench.state, ENTRY, one.key, other.contents)
    append(bench.state, ENTRY, other.key, one.contents)
    for number in "12":
        bench.write("in", number)
        assert decide(bench.engine(), "t")["verdict"]["kind"] == "corrupt"


@pytest.mark.parametrize("kind", ["folder", "link to itself", "gone", "link outward", "pipe"])
@pytest.mark.parametrize("part", ["packs", "packs/1", "table", "cas/*/*"])
def test_a_store_with_other_things_in_it_is_a_miss(tmp_path: Path, part: str, kind: str) -> None:
    bench = Bench(tmp_path / "p", {"t": task(["in"], ["out/**"])})
    bench.write("in", "1")
    bench.run(make_three(bench))
    wanted = snapshot(bench.root / "out")
    (target,) = bench.state.glob(part)
    unlink_all(target)
    if kind == "folder":
        (target / "x").mkdir(parents=True)
    elif kind == "link to itself":
        target.symlink_to(target.name)
    elif kind == "link outward":
        (tmp_path / "x").write_text("other")
        target.symlink_to(tmp_path / "x")
    elif kind == "pipe":
        os.mkfifo(target)
    for _ in range(3):
        is_restored_or_nothing_changed(bench, wanted)
        unlink_all(bench.root / "out")
        # A folder where the table has to be is in the way, and said to be.
        with suppress(IsADirectoryError):
            bench.run(make_three(bench))
        assert snapshot(bench.root / "out") == wanted
    store_sweep(str(bench.state), now_ms=1, max_age_ms=None, max_bytes=None, dry=False)
    bench.run(make_three(bench))
    assert snapshot(bench.root / "out") == wanted
    assert not (tmp_path / "x").exists() or (tmp_path / "x").read_text() == "other"


def test_what_an_earlier_version_stored_is_a_miss_and_goes_with_the_next_sweep(
    bench: Bench,
) -> None:
    for path in ("ac/ab/cdef", "cas/ab/cdef", "uses.json"):
        bench.write(f".pipec/cache/{path}", "{}")
    assert bench.run(make(bench)) == {"t": "miss"}
    store_sweep(str(bench.state), now_ms=1, max_age_ms=None, max_bytes=None, dry=False)
    assert not (bench.state / "ac").exists()
    assert not (bench.state / "uses.json").exists()
    assert not (bench.state / "cas/ab/cdef").exists()
    unlink_all(bench.root / "out")
    assert bench.run(make(bench)) == {"t": "restored"}


@pytest.mark.parametrize("name", ["cas", "packs", "table", "tmp", "index", "successes", "uses"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_state_folder_with_other_things_in_it_stops_no_run(
    bench: Bench, name: str, kind: str
) -> None:
    if kind == "file":
        bench.write(f".pipec/cache/{name}", "no such thing")
    else:
        bench.write(f".pipec/cache/{name}/x/y", "no such thing")
    for _ in range(2):
        engine = bench.engine()
        if decide(engine, "t")["verdict"]["kind"] == "hit":
            try:
                engine.restore("t")
            except OSError:
                bench.write("out/a", "1")
                seal(engine, "t")
        else:
            bench.write("out/a", "1")
            seal(engine, "t")
        try:
            engine.save()
        except OSError as error:
            assert name in str(error) or "tmp" in str(error)  # noqa: PT017
    json.loads(store_sweep(str(bench.state), now_ms=1, max_age_ms=None, max_bytes=None, dry=False))


def test_what_a_crash_left_under_our_names_is_no_obstacle(bench: Bench) -> None:
    bench.run(make(bench))
    wanted = snapshot(bench.root / "out")
    # Process ids come again, in a container with the first run.
    for number in range(20_000):
        (bench.state / "tmp" / f"{os.getpid()}-{number}").mkdir(parents=True, exist_ok=True)
    unlink_all(bench.root / "out")
    assert bench.run(make(bench)) == {"t": "restored"}
    assert snapshot(bench.root / "out") == wanted
    bench.write("in", "2")
    unlink_all(bench.root / "out")
    assert bench.run(make(bench)) == {"t": "miss"}


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_an_output_without_contents_is_unsuitable(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, {"t": task(["in"], ["out/**"])})
    bench.write("in", "1")
    engine = bench.engine()
    decide(engine, "t")
    bench.write("out/a", "1")
    monkeypatch.chdir(tmp_path)
    if kind == "pipe":
        os.mkfifo("out/special")
    else:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("out/special")
    sealed = seal(engine, "t")
    assert sealed["unsuitable"] == ["out/special"]
    assert not sealed["stored"]
