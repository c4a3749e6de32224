"""Strange names, strange files, and files that change under the core: never a hang."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.core.bench import Bench, decide, seal, snapshot, task

NAMES = [
    "a b",
    "a\nb",
    "'a'",
    '"a"',
    "\U0001f600",
    "\udcff\udcfe",
    "-rf",
    "a\\b",
    "[a]",
    "{a}",
    "*",
    "a\tb",
    "\u202e",
    "x" * 255,
]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, {"t": task(["in/**"], ["out/**"])})


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_is_an_input_and_an_output(bench: Bench, name: str) -> None:
    bench.write(f"in/{name}/{name}", "1")
    assert list(bench.inputs()) == [os.fsencode(f"in/{name}/{name}")]
    make = lambda _: bench.write(f"out/{name}/{name}", "made")  # noqa: E731
    assert bench.run(make) == {"t": "miss"}
    wanted = snapshot(bench.root / "out")
    (bench.root / "out" / name / name).unlink()
    assert bench.run(make) == {"t": "restored"}
    assert snapshot(bench.root / "out") == wanted
    bench.write(f"in/{name}/{name}", "2")
    assert bench.run(make) == {"t": "miss"}


def test_a_path_of_hundreds_of_characters_is_an_input(bench: Bench) -> None:
    path = "in/" + "/".join(["x" * 100] * 8)
    bench.write(path, "1")
    assert list(bench.inputs()) == [path.encode()]


@contextmanager
def below(root: Path, names: list[str]) -> Iterator[int]:
    """A folder deeper than a path can say, as a descriptor; removed again afterwards."""
    descriptors = [os.open(root, os.O_RDONLY)]
    for name in names:
        os.mkdir(name, dir_fd=descriptors[-1])
        descriptors.append(os.open(name, os.O_RDONLY, dir_fd=descriptors[-1]))
    try:
        yield descriptors[-1]
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def test_three_hundred_folders_in_each_other_are_walked(bench: Bench) -> None:
    (bench.root / "in").mkdir()
    names = ["deep"] * 300
    with below(bench.root / "in", names) as bottom:
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=bottom))
    assert list(bench.inputs()) == [b"in/" + b"deep/" * 300 + b"file"]


def test_a_path_longer_than_the_system_allows_is_an_error_or_an_input(bench: Bench) -> None:
    (bench.root / "in").mkdir()
    names = ["x" * 200] * 30
    with below(bench.root / "in", names) as bottom:
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=bottom))
    try:
        assert len(bench.inputs()) == 1
    except OSError as error:
        assert error.strerror == "File name too long"  # noqa: PT017


def test_ten_thousand_files_are_inputs_and_outputs(bench: Bench) -> None:
    for number in range(10_000):
        bench.write(f"in/{number % 100}/{number}", str(number))
    assert len(bench.inputs()) == 10_000

    def make(root: Path) -> None:
        for number in range(1_000):
            bench.write(f"out/{number % 10}/{number}", str(number))

    assert bench.run(make) == {"t": "miss"}
    wanted = snapshot(bench.root / "out")
    for number in range(0, 1_000, 7):
        (bench.root / f"out/{number % 10}/{number}").unlink()
    assert bench.run(make) == {"t": "restored"}
    assert snapshot(bench.root / "out") == wanted


@pytest.mark.parametrize("kind", ["pipe", "socket"])
@pytest.mark.parametrize("rule", ["in/special", "in/*", "in"])
def test_what_has_no_contents_is_no_input(
    bench: Bench, kind: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.tasks = {"t": task([rule])}
    (bench.root / "in").mkdir()
    monkeypatch.chdir(bench.root)
    if kind == "pipe":
        os.mkfifo("in/special")
    else:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("in/special")
    assert bench.inputs() == {}
    assert bench.run({}) == {"t": "miss"}


def test_links_that_lead_in_circles_are_links(bench: Bench) -> None:
    bench.write("in/a/x", "1")
    (bench.root / "in" / "a" / "up").symlink_to("..")
    (bench.root / "in" / "self").symlink_to("self")
    (bench.root / "in" / "one").symlink_to("two")
    (bench.root / "in" / "two").symlink_to("one")
    assert set(bench.inputs()) == {b"in/a/x", b"in/a/up", b"in/self", b"in/one", b"in/two"}


@pytest.mark.parametrize(
    "path", [".git/HEAD", ".pipec/x", "node_modules/a.js", "a/.git", "in/.git/x"]
)
def test_what_is_never_an_input_is_none_by_its_own_name_either(bench: Bench, path: str) -> None:
    bench.write(path, "1")
    bench.tasks = {"t": task([path, "."])}
    assert bench.inputs() == {}


def test_a_literal_behind_a_link_counts_by_what_is_there(bench: Bench) -> None:
    bench.tasks = {"t": task(["via/x", "via/l"])}
    bench.write("real/x", "1")
    (bench.root / "real" / "l").symlink_to("x")
    (bench.root / "via").symlink_to("real")
    before = bench.key()
    assert set(bench.inputs()) == {b"via", b"via/x", b"via/l"}
    bench.write("real/x", "2")
    after = bench.key()
    assert before != after
    (bench.root / "real" / "l").unlink()
    (bench.root / "real" / "l").symlink_to("y")
    assert bench.key() != after


@contextmanager
def restless(change: Callable[[int], object]) -> Iterator[None]:
    """Something that goes on all the time meanwhile."""
    stop = threading.Event()

    def go_on() -> None:
        number = 0
        while not stop.is_set():
            change(number)
            number += 1

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def in_turn(bench: Bench, others: list[Callable[[Path], object]]) -> Callable[[int], None]:
    """Puts one thing after the other in the place of `in/x`."""

    def change(number: int) -> None:
        made = bench.root / "beside"
        if made.is_dir() and not made.is_symlink():
            made.rmdir()
        else:
            made.unlink(missing_ok=True)
        others[number % len(others)](made)
        target = bench.root / "in" / "x"
        if target.is_dir() and not target.is_symlink():
            target.rmdir()
        if made.is_dir() and not made.is_symlink():
            target.unlink(missing_ok=True)
        os.replace(made, target)  # noqa: PTH105

    return change


KINDS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "link": lambda path: path.symlink_to("nowhere"),
    "folder": lambda path: path.mkdir(),
    "other": lambda path: path.write_text("other"),
    "device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_turns_into_something_else_is_no_trap(bench: Bench, kind: str) -> None:
    bench.write("in/x", "1" * 5000)
    bench.write("in/y", "1")
    kinds = [lambda path: path.write_text("1" * 5000), KINDS[kind]]
    with restless(in_turn(bench, kinds)):
        for _ in range(150):
            try:
                assert b"in/y" in bench.inputs()
            except OSError as error:
                assert "in/x" in str(error)  # noqa: PT017


@pytest.mark.timeout(30)
def test_outputs_that_turn_into_something_else_are_no_trap(bench: Bench) -> None:
    bench.tasks = {"t": task(["y"], ["in/**"])}
    bench.write("in/x", "1" * 5000)
    kinds = [lambda path: path.write_text("1" * 5000), os.mkfifo]
    with restless(in_turn(bench, kinds)):
        for _ in range(100):
            engine = bench.engine(force=True)
            decide(engine, "t")
            try:
                seal(engine, "t")
            except OSError as error:
                assert "in/x" in str(error)  # noqa: PT017


def test_files_that_come_and_go_are_there_or_not(bench: Bench) -> None:
    bench.write("in/always", "1")

    def change(number: int) -> None:
        path = bench.write(f"in/{number % 7}/{number % 5}", str(number))
        if number % 2:
            path.unlink()

    with restless(change):
        for _ in range(100):
            try:
                assert b"in/always" in bench.inputs()
            except OSError as error:
                # One that is written without a pause cannot be read as it is.
                assert "keeps changing" in str(error)  # noqa: PT017


def test_an_engine_in_a_folder_that_is_not_there_has_no_inputs(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"t": task(["in/**", "lit"])})
    engine = bench.engine()
    bench.root = tmp_path / "gone"
    request_state = str(tmp_path / "state")
    engine = bench.engine(state=request_state)
    try:
        assert engine.input_files("t") == [(b"lit", "")]
    except OSError as error:
        assert "gone" in str(error)  # noqa: PT017


def test_a_state_folder_that_cannot_be_is_no_obstacle_to_a_decision(bench: Bench) -> None:
    bench.write("in/a", "1")
    bench.write("state", "a file")
    engine = bench.engine(state=f"{bench.root}/state")
    assert decide(engine, "t")["verdict"]["kind"] == "miss"
    bench.write("out/a", "1")
    assert seal(engine, "t")["trouble"] == ""
    with pytest.raises(OSError, match="state"):
        engine.save()


def test_a_log_that_is_gone_is_trouble_and_no_failure(bench: Bench) -> None:
    bench.write("in/a", "1")
    engine = bench.engine()
    decide(engine, "t")
    bench.write("out/a", "1")
    sealed = seal(engine, "t", log=f"{bench.root}/no-such-log")
    assert not sealed["stored"]
    assert "no-such-log" in sealed["trouble"]
