"""How often a run asks the operating system for something: a gate that no busy machine moves."""

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest

from benches.monorepo import MARKER, make
from benches.plan import Shape
from tests.conftest import Project
from tests.e2e.traces import HOLDING, LOOKING, READING, Call, trace
from tests.ticks import has_fine_times, let_a_tick_pass

SMALL = Shape(packages=50, files_per_package=40)
TWICE = Shape(packages=100, files_per_package=40)

# Of one trip to the file system for each file and folder.
MOST_LOOKS = 1.02
# What finding the project, the lock, the state and the record takes, however large the tree is.
BESIDES = 40
# Of a file that is put back, by its own name: looked for, put there, looked at.
MOST_CALLS_A_RESTORED_FILE = 4

pytestmark = pytest.mark.slow


@dataclass
class Tree:
    """A generated monorepo, and where its traces go."""

    project: Project
    traces: Path

    @property
    def root(self) -> Path:
        return self.project.folder

    def run(self) -> str:
        """Runs everything; gives the line that sums it up."""
        let_a_tick_pass(self.traces.parent)
        result = self.project.pipec("run", "test")
        assert result.status == 0, result.stderr
        return result.stderr.splitlines()[-2]

    def traced(self, *words: str, also: Collection[str] = ()) -> list[Call]:
        """What pipec itself asks for, from its first instruction to its last."""
        let_a_tick_pass(self.traces.parent)
        command = [sys.executable, "-m", "pipec", *words]
        environment = {**self.project.environment, "PYTHONDONTWRITEBYTECODE": "1"}
        return trace(
            command, folder=self.root, environment=environment, into=self.traces, also=also
        )

    def run_traced(self, also: Collection[str] = ()) -> list[Call]:
        """What a run of everything asks for."""
        return self.traced("run", "test", also=also)

    def below(self, path: str) -> str | None:
        """A path as the tree has it; None for one that is elsewhere."""
        return os.path.relpath(path, self.root) if path.startswith(f"{self.root}/") else None

    def inputs(self) -> set[str]:
        """All inputs of all tasks."""
        packages = self.root / "packages"
        found = [*packages.glob("*/src/**/*"), *packages.glob("*/package.json")]
        return {str(path.relative_to(self.root)) for path in found if path.is_file()}

    def size(self) -> int:
        """How many files and folders there are but for those that nobody has to look at."""
        count = 0
        for _, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in ("node_modules", ".pipec")]
            count += len(folders) + len(files)
        return count

    def opened(self, calls: list[Call]) -> Counter[str]:
        """How often each file of the tree was opened; folders and state left out."""
        paths = [self.below(call.path) for call in calls if call.opens and not call.lists]
        return Counter(path for path in paths if path and not path.startswith(".pipec/"))


def plant(shape: Shape, folder: Path) -> Tree:
    """A tree that has never seen a run."""
    make(shape, folder / "tree", ["pipec"])
    (folder / "home").mkdir()
    return Tree(Project(folder / "tree", folder / "home"), folder / "traces")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return plant(SMALL, tmp_path_factory.mktemp("small"))


@pytest.fixture
def tree(small):
    """The small tree with everything in place."""
    settle(small)
    return small


def settle(tree: Tree) -> None:
    """Brings about that all results are in place, and that nothing has to be read to know it."""
    tree.run()
    tree.run()
    assert tree.run() == f"{tasks(tree)} tasks in <time>: {tasks(tree)} cached (saved <time>)"


def tasks(tree: Tree) -> int:
    return 2 * len(list((tree.root / "packages").iterdir()))


def looks(tree: Tree, calls: list[Call]) -> int:
    """How many looks at files a run takes beyond those that the start of Python does."""

    def count(calls: list[Call]) -> int:
        return sum(call.name in LOOKING for call in calls)

    return count(calls) - count(tree.traced("--version"))


def written(tree: Tree, calls: list[Call]) -> set[str]:
    """Everything in the tree that was made, opened for writing or removed, but for the record."""
    paths = {tree.below(call.path) for call in calls if call.writes}
    ours = (".pipec/runs/", ".pipec/run.lock")
    return {path for path in paths if path and not path.startswith(ours)}


def entered(tree: Tree, calls: list[Call]) -> set[str]:
    """The folders into which a run looked although nothing there is for it."""
    return {
        path
        for call in calls
        if (path := tree.below(call.path)) and {"node_modules", ".git"} & {*Path(path).parts}
        if call.opens or Path(path).name not in {"node_modules", ".git"}
    }


def test_a_run_with_everything_in_place_looks_at_each_file_once(tree):
    calls = tree.run_traced()
    assert looks(tree, calls) <= MOST_LOOKS * tree.size() + BESIDES


def test_a_run_with_everything_in_place_opens_no_input_and_writes_only_its_record(tree):
    calls = tree.run_traced()
    assert tree.opened(calls).keys() <= {"pipeline.toml", ".gitignore"}
    assert written(tree, calls) == set()


def test_no_run_looks_into_the_folders_of_package_managers_and_version_control(tree):
    assert entered(tree, tree.run_traced()) == set()
    shutil.rmtree(tree.root / ".pipec")
    assert entered(tree, tree.run_traced()) == set()


def test_one_edit_means_one_file_to_read(tree):
    edited = json.loads((tree.root / MARKER).read_text())["edited"]
    with (tree.root / edited).open("a") as file:
        file.write("// edited\n")
    calls = tree.run_traced()
    record = max((tree.root / ".pipec" / "runs").iterdir()) / "execution.json"
    assert json.loads(record.read_text())["counts"]["passed"] == 2
    inputs = tree.inputs()
    assert {path: n for path, n in tree.opened(calls).items() if path in inputs} == {edited: 1}


def forget(tree: Tree) -> None:
    """The next run is a first run, on files that are all of one age.

    What was edited a moment ago, among files that nobody has touched for long, may be read twice.
    """
    shutil.rmtree(tree.root / ".pipec")
    for path in tree.inputs():
        (tree.root / path).touch()


def test_a_first_run_reads_each_input_once(tree):
    forget(tree)
    opened = tree.opened(tree.run_traced())
    inputs = tree.inputs()
    assert {path: n for path, n in opened.items() if path in inputs} == dict.fromkeys(inputs, 1)


def test_a_first_run_opens_reads_and_closes_each_input_once(tree):
    forget(tree)
    calls = tree.run_traced(also=HOLDING)
    inputs = tree.inputs()
    for names in (READING, {"close"}):
        of_inputs = Counter(tree.below(call.path) for call in calls if call.name in names)
        assert {path: n for path, n in of_inputs.items() if path in inputs} == (
            dict.fromkeys(inputs, 1)
        )


def test_a_run_with_everything_in_place_lists_no_folder_of_the_project(tree):
    calls = tree.run_traced(also=HOLDING)
    listed = {tree.below(call.path) for call in calls if call.name == "getdents64"}
    assert {path for path in listed if path and not path.startswith(".pipec/")} == set()


def test_a_restored_file_takes_a_bounded_number_of_calls(tree):
    restored = [path for path in tree.root.glob("packages/*/dist/**/*") if path.is_file()]
    assert restored
    for folder in tree.root.glob("packages/*/dist"):
        shutil.rmtree(folder)
    calls = tree.run_traced(also=HOLDING)
    assert all(path.is_file() for path in restored)
    names = {tree.below(str(path)) for path in restored}
    of_each = Counter(tree.below(call.path) for call in calls)
    assert max(of_each[name] for name in names) <= MOST_CALLS_A_RESTORED_FILE


def test_the_run_after_a_restore_is_one_with_everything_in_place(tree):
    for folder in tree.root.glob("packages/*/dist"):
        folder.rename(tree.traces.parent / f"gone-{folder.parent.name}")
    assert "cached" in tree.run()
    calls = tree.run_traced(also=HOLDING)
    listed = {tree.below(call.path) for call in calls if call.name == "getdents64"}
    of_project = {path for path in listed if path and not path.startswith(".pipec/")}
    if has_fine_times(tree.root):
        assert looks(tree, calls) <= MOST_LOOKS * tree.size() + BESIDES
        assert of_project == set()
        assert written(tree, calls) == set()
    else:
        # What was restored within one tick of the clock is looked at with care.
        assert looks(tree, calls) <= 2 * MOST_LOOKS * tree.size() + BESIDES
    assert not tree.opened(calls).keys() & tree.inputs()


def started(calls: list[Call]) -> list[Call]:
    """The processes that were started, threads left out."""
    return [
        call
        for call in calls
        if call.succeeded
        and ("clone" in call.name or "fork" in call.name)
        and "CLONE_THREAD" not in call.arguments
    ]


def test_a_run_starts_one_process_a_command_and_one_that_watches(tree):
    shutil.rmtree(tree.root / ".pipec")
    processes = started(tree.run_traced())
    assert len(processes) == tasks(tree) + 1
    # None of them is a copy of pipec with all its memory.
    assert all("CLONE_VM" in call.arguments for call in processes)


def test_whoever_waits_for_a_command_that_says_nothing_is_woken_once(tree):
    shutil.rmtree(tree.root / ".pipec")
    calls = tree.run_traced(also={"poll", "ppoll"})
    waits = [call for call in calls if "poll" in call.name and "pidfd" in call.arguments]
    assert len(waits) == tasks(tree)


def test_a_task_that_runs_is_looked_at_before_and_after_and_nothing_else_is(tree):
    edited = json.loads((tree.root / MARKER).read_text())["edited"]
    with (tree.root / edited).open("a") as file:
        file.write("// edited\n")
    calls = tree.run_traced()
    package = tree.root / Path(*Path(edited).parts[:2])
    own = sum(1 for _ in package.rglob("*"))
    # Two tasks with the same inputs: before both, between them and after both; and what one made.
    assert looks(tree, calls) <= MOST_LOOKS * tree.size() + BESIDES + 4 * own
    assert len(started(calls)) == 3
    of_each = Counter(tree.below(call.path) for call in calls if call.name in LOOKING)
    others = [
        path for path in tree.inputs() if path.startswith(str(package.relative_to(tree.root)))
    ]
    # The run's own look, and one after each task: the second has the inputs of the first.
    assert {of_each[path] for path in others if path != edited} == {3}
    made = {path for path in written(tree, calls) if not path.startswith(".pipec/")}
    assert made == set()


def test_outputs_that_are_in_place_are_not_written_when_only_the_store_knows_them(tree):
    for name in ("index", "successes"):
        (tree.root / ".pipec" / "cache" / name).unlink()
    calls = tree.run_traced()
    assert {path for path in written(tree, calls) if not path.startswith(".pipec/")} == set()


def test_a_tree_of_twice_the_size_takes_twice_the_calls(tree, tmp_path):
    twice = plant(TWICE, tmp_path)
    settle(twice)
    few, many = (len(each.run_traced()) - len(each.traced("--version")) for each in (tree, twice))
    assert many <= 2 * few


@pytest.mark.parametrize("words", [("check",), ("run", "test", "--dry")])
def test_a_compile_of_many_tasks_reads_its_file_once(tmp_path, words):
    many = plant(Shape(packages=1000, files_per_package=1), tmp_path)
    assert (many.root / "pipeline.toml").read_text().count("\n[tasks.") == 2000
    assert many.opened(many.traced(*words))["pipeline.toml"] == 1


def test_a_first_run_reads_its_file_once_to_compile_and_the_core_once_before_and_after(tree):
    shutil.rmtree(tree.root / ".pipec")
    assert tree.opened(tree.run_traced())["pipeline.toml"] == 3
