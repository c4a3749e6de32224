"""A run after edits decides anew what depends on them, and nothing else.

Whatever is edited, what runs is what has never been made from these contents, and what is there
afterwards is what they mean.

A few seconds as it is; `PIPEC_TEST_EFFORT=20` for a minute or two.
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.e2e.records import statuses
from tests.property.effort import EFFORT
from tests.ticks import let_a_tick_pass

STEPS = 40 * EFFORT
# Few and of one size: what was there before comes again, and its result is taken from the store.
TEXTS = ("x\n", "y\n", "z\n")
FAILURE = "no\n"

NEEDS = {
    "lib": (),
    "core": (),
    "app": ("lib", "core"),
    "docs": (),
    "page": ("docs", "lib"),
    "site": ("page",),
    "tool": (),
    "pack": ("tool", "app"),
}
"""Each with an output, made of its own files and what these made."""
CHECKS = {"lint": ("core",), "verify": ("pack",)}
"""Without outputs."""
GROUPS = {"all": ("site", "lint", "verify")}
ALL = NEEDS | CHECKS | GROUPS
FILES = [f"src/{task}/{name}" for task in (*NEEDS, *CHECKS) for name in "ab"]


def pipeline() -> str:
    parts = ['name = "parts"\n']
    for task, needs in (NEEDS | CHECKS).items():
        own = f"src/{task}/*"
        made = " ".join(f"out/{need}/all" for need in needs if need in NEEDS)
        script = f"! grep -q no {own} && mkdir -p out/{task} && cat {own} {made} > out/{task}/all"
        if task in CHECKS:
            script = f"! grep -q no {own}"
        outputs = [f"out/{task}/**"] if task in NEEDS else []
        parts.append(
            f"[tasks.{task}]\ninputs = [{json.dumps(own)}]\noutputs = {json.dumps(outputs)}\n"
            f"depends-on = {json.dumps(needs)}\ncache = true\nrun = {json.dumps(script)}\n"
        )
    for group, members in GROUPS.items():
        parts.append(f"[tasks.{group}]\ndepends-on = {json.dumps(members)}\n")
    return "\n".join(parts)


class Meaning:
    """What the files of a project mean: what each task makes, and from what."""

    def __init__(self, folder: Path) -> None:
        self.made: dict[str, str] = {}
        self.keys: dict[str, tuple[object, ...]] = {}
        for task, needs in (NEEDS | CHECKS).items():
            files = sorted((folder / "src" / task).iterdir())
            own = [(path.name, path.read_text()) for path in files]
            self.keys[task] = (
                *own,
                *(self.made.get(need, self.keys[need]) for need in sorted(needs)),
            )
            if task in NEEDS:
                self.made[task] = "".join([text for _, text in own] + [self.made[n] for n in needs])


class Bench:
    """A project that is edited and run again and again."""

    def __init__(self, project: Project, chance: random.Random) -> None:
        self.project, self.chance = project, chance
        self.folder = project.folder
        self.done: set[tuple[str, tuple[object, ...]]] = set()
        self.in_part = 0
        project.write("pipeline.toml", pipeline())
        for path in FILES:
            project.write(path, TEXTS[0])

    def run(self) -> None:
        let_a_tick_pass(self.folder.parent)
        meaning, before = Meaning(self.folder), self.open()
        result = self.project.pipec("run", "all")
        last = max((self.folder / ".pipec/runs").iterdir())
        record = json.loads((last / "execution.json").read_text())
        became = statuses(record)
        self.in_part += self.open() != before
        if result.status == 0:
            keys = meaning.keys.items()
            expected = {
                task: "cached" if (task, key) in self.done else "passed" for task, key in keys
            }
            assert {task: became[task] for task in expected} == expected, result.stderr
            of_groups = {became[member] for member in GROUPS["all"]}
            assert became["all"] == ("cached" if of_groups == {"cached"} else "passed")
            for task, text in meaning.made.items():
                assert self.project.read(f"out/{task}/all") == text
        else:
            assert any(FAILURE in path.read_text() for path in self.sources()), result.stderr
        self.done |= {
            (task, key)
            for task, key in meaning.keys.items()
            if became[task] in {"passed", "cached"}
        }
        if (graph := last / "graph.json").exists():
            tasks = json.loads(graph.read_text())["tasks"]
            waits = {task["id"]: sorted(task["depends_on"]) for task in tasks}
            assert waits == {task: sorted(needs) for task, needs in ALL.items()}

    def open(self) -> list[tuple[int, int]]:
        """Which file says that a part of a plan was run: it is written anew each time."""
        found = (self.folder / ".pipec/cache/settled").glob("*.open")
        return [(path.stat().st_ino, path.stat().st_mtime_ns) for path in found]

    def sources(self) -> Iterator[Path]:
        return (path for path in (self.folder / "src").rglob("*") if path.is_file())

    def a_source(self) -> Path:
        return self.chance.choice(sorted(self.sources()))

    def write_in_place(self) -> None:
        with self.a_source().open("r+") as file:
            file.write(self.chance.choice(TEXTS))

    def heal(self) -> None:
        for path in self.sources():
            if FAILURE in path.read_text():
                path.write_text(self.chance.choice(TEXTS))

    def break_a_source(self) -> None:
        self.a_source().write_text(FAILURE)

    def replace(self) -> None:
        new = self.project.write("new", self.chance.choice(TEXTS))
        new.rename(self.a_source())

    def add(self) -> None:
        name = self.chance.choice("cd")
        (self.a_source().parent / name).write_text(self.chance.choice(TEXTS))

    def remove(self) -> None:
        for path in self.sources():
            if path.name in "cd":
                path.unlink()
                return

    def touch(self) -> None:
        self.a_source().touch()

    def spoil_an_output(self) -> None:
        made = sorted((self.folder / "out").glob("*/all"))
        if made:
            self.chance.choice(made).write_text("?\n")

    def forget_the_last_runs(self) -> None:
        for path in (self.folder / ".pipec/cache").glob("successes.newer"):
            path.unlink()

    def nothing(self) -> None:
        pass

    def edit(self) -> None:
        self.heal()
        often: list[Callable[[], None]] = [self.write_in_place] * 12
        seldom = [
            self.break_a_source,
            self.replace,
            self.add,
            self.remove,
            self.touch,
            self.spoil_an_output,
            self.forget_the_last_runs,
            self.nothing,
            self.nothing,
            self.nothing,
        ]
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            self.chance.choice(often + seldom)()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.timeout(120 + 2 * STEPS)
def test_what_runs_is_what_was_never_made_from_these_contents(project: Project, seed: int) -> None:
    bench = Bench(project, random.Random(seed))
    for _ in range(3):
        bench.run()
    for _ in range(STEPS):
        bench.edit()
        bench.run()
    assert bench.in_part > STEPS // 8


INDEPENDENT = """
name = "app"

[tasks.failing]
inputs = ["a"]
outputs = []
cache = true
run = "test ! -s a"

[tasks.making]
inputs = ["b"]
outputs = ["out"]
cache = true
run = "cat b > out"
"""


def test_an_edit_is_seen_while_another_task_keeps_failing(project: Project) -> None:
    """The one that failed has to run in any case: nothing may be concluded of the other."""
    project.write("pipeline.toml", INDEPENDENT)
    project.write("a", "")
    project.write("b", "1")

    def run() -> int:
        let_a_tick_pass(project.folder.parent)
        return project.pipec("run", "failing", "making", "--continue", "always").status

    for _ in range(4):
        assert run() == 0
    project.write("a", "fails")
    assert run() == 1
    for text in "234":
        project.write("b", text)
        assert run() == 1
        assert project.read("out") == text
