"""Runs of two jobs, sweeps and somebody who edits, all at once in one project.

Ten seconds as it is; `PIPEC_TEST_EFFORT=12` for two minutes.
"""

import itertools
import random
import threading
import time
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records, statuses
from tests.property.effort import EFFORT

PIPELINE = """\
name = "app"

[tasks.base]
inputs = ["src/**"]
outputs = ["base/**"]
cache = true
run = "mkdir -p base && cat src/a src/b > base/all"

[tasks.left]
depends-on = ["base"]
inputs = ["left/**"]
outputs = ["made/left"]
cache = true
run = "mkdir -p made && cat base/all left/c > made/left"

[tasks.right]
depends-on = ["base"]
inputs = ["right/**", "src/b"]
outputs = ["made/right/**"]
cache = true
run = "mkdir -p made/right && cat base/all right/d > made/right/all && cp src/b made/right"

[jobs.one]
target = "left"

[jobs.other]
target = "right"
"""

FILES = ("src/a", "src/b", "left/c", "right/d")
# Few, and of one size: what was there before comes again, and only contents tell one from another.
TEXTS = ("x\n", "y\n", "z\n")
SECONDS = 10 * EFFORT
CHECKED = 12
EVERYTHING = {"PIPEC_KEEP_RUNS": "1000000"}

Calls = list[tuple[tuple[str, ...], int, str]]


def expected(texts: tuple[str, ...]) -> dict[str, str]:
    """What a build without any cache makes of the files."""
    a, b, c, d = texts
    return {
        "base/all": a + b,
        "made/left": a + b + c,
        "made/right/all": a + b + d,
        "made/right/b": b,
    }


def write(project: Project, texts: tuple[str, ...]) -> None:
    for path, text in zip(FILES, texts, strict=True):
        project.write(path, text)


def edit(project: Project, chance: random.Random) -> None:
    """Changes one file, in place or by a rename: at no moment is it not there."""
    path, text = chance.choice(FILES), chance.choice(TEXTS)
    if chance.random() < 0.5:
        with (project.folder / path).open("r+") as file:
            file.write(text)
    else:
        project.write("new", text).rename(project.folder / path)


def again_and_again(project: Project, lines: list[tuple[str, ...]], until: float) -> Calls:
    """Calls pipec over and over; gives every call with its status and what it said."""
    called = []
    for words in itertools.cycle(lines):
        if time.monotonic() > until:
            return called
        result = project.pipec(*words, env=EVERYTHING)
        called.append((words, result.status, result.stderr))
    raise AssertionError("there is nothing to call")


@pytest.mark.slow
@pytest.mark.timeout(120 + 4 * SECONDS)
def test_nothing_is_lost_and_nothing_is_wrong(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    write(project, TEXTS[:1] * len(FILES))
    until = time.monotonic() + SECONDS
    called: Calls = []

    def loop(*lines: tuple[str, ...]) -> Callable[[], None]:
        return lambda: called.extend(again_and_again(project, list(lines), until))

    sweep = ("gc", "--keep", "0", "--wait")
    loops = [
        loop(("run", "one", "--wait")),
        loop(("run", "other", "--wait"), ("run", "other", "one", "--wait")),
        loop(sweep, (*sweep, "--cache-size", "2KiB")),
    ]
    threads = [threading.Thread(target=each) for each in loops]
    for thread in threads:
        thread.start()
    chance = random.Random(1)
    pause = threading.Event()
    while time.monotonic() < until:
        edit(project, chance)
        pause.wait(chance.random() / 20)
    for thread in threads:
        thread.join()

    assert [call for call in called if call[1] != 0] == []
    runs = sum(words[0] == "run" for words, _, _ in called)
    records = read_records(project.folder)
    assert [record["status"] for record in records] == ["passed"] * runs
    assert {status for record in records for status in statuses(record).values()} == {
        "cached",
        "passed",
    }
    # Whatever was stored in the middle of it all is what it is stored for.
    every = list(itertools.product(TEXTS, repeat=len(FILES)))
    for texts in chance.sample(every, min(CHECKED * EFFORT, len(every))):
        write(project, texts)
        assert project.pipec("run", "one", "other").status == 0
        assert {path: project.read(path) for path in expected(texts)} == expected(texts)
    nothing_is_left_over(project)


def nothing_is_left_over(project: Project) -> None:
    state = project.folder / ".pipec"
    assert list((state / "cache" / "tmp").glob("*")) == []
    assert list(state.rglob("*.tmp")) == []
    assert (state / "run.lock").read_bytes() == b""
    found = {path.name for path in project.folder.iterdir()} - {".gitignore"}
    assert found <= {"pipeline.toml", ".pipec", "src", "left", "right", "base", "made"}
    made = {path.name for path in (project.folder / "made").rglob("*")}
    assert made == {"left", "right", "all", "b"}
