"""The rows of the benchmark: who does each kind of work, and what is done around each run."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from benches.build import SCRATCH, Built
from benches.measure import Command
from benches.rivals import Tool, environment
from benches.trees import AWAY, GROUND, Tree, floor

ROWS: Final = {
    "warm": "nothing changed, all tasks cached, outputs present",
    "changed": "one file changed, two tasks run",
    "hash": "all inputs digested anew",
    "cold": "first run of tasks that do nothing",
    "first": "first run of tasks that do nothing, the pipeline not compiled before",
    "graph": "the graph alone",
    "restore": "all outputs gone, all tasks cached",
    "present": "all outputs there, all tasks cached",
    "version": "`--version`",
    "help": "`--help`",
}

PYTHON: Final = "python -I -S -c pass"
NOTHING_TO_DO: Final = "pipec, nothing to do"
DIGESTS_ALONE: Final = "pipec, digests alone"
"""What a target adds or subtracts is measured in the same row: another row is another minute."""

READING_ROWS: Final = ("hash", "cold", "first")
"""The rows before which files are read, not only looked at: their contents have to be in memory."""


def nothing() -> None:
    """What is done around a run that needs nothing done."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One command that takes part in one row.

    `prelude` is run once before a burst and brings the files that count into the page cache;
    `before` and `after` are run around every run; `executes` is how many tasks pipec has to run,
    None for everybody else.
    """

    who: str
    command: Command
    prelude: tuple[str, ...] = ()
    before: Callable[[], None] = nothing
    after: Callable[[], None] = nothing
    executes: int | None = None
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One row on one tree."""

    tree: str
    row: str
    entrants: tuple[Entrant, ...]


def start_cases(built: Built, tools: Sequence[Tool]) -> list[Case]:
    """`--version` and `--help`, in a folder that holds nothing."""
    folder = SCRATCH / "empty"
    folder.mkdir(exist_ok=True)
    cases = []
    for row in ("version", "help"):
        entrants = [_python(built, folder)]
        for tool in tools:
            if arguments := tool.version if row == "version" else tool.help:
                command = Command(arguments, folder, environment(tool, built))
                entrants.append(Entrant(tool.name, command, slow=tool.slow))
        cases.append(Case("-", row, tuple(entrants)))
    return cases


def tree_cases(built: Built, trees: Sequence[Tree], index: Path) -> list[Case]:
    """All rows of one size; `trees` are one for each tool, pipec's first."""
    name = trees[0].name
    rows: tuple[str, ...]
    match name:
        case "E":
            rows = ("warm", "hash", "changed", "cold", "first")
        case "R":
            rows = ("present", "restore")
        case "X":
            rows = ("warm",)
        case _:
            rows = ("warm", "changed", "hash", "graph")
    return [Case(name, row, tuple(_entrants(built, trees, row, index))) for row in rows]


def _entrants(built: Built, trees: Sequence[Tree], row: str, index: Path) -> Iterator[Entrant]:
    yield _python(built, trees[0].folder)
    yield from _floors(built, trees[0], row, index)
    for tree in trees:
        yield from _of_tool(built, tree, row, index)
    yield from _parts(built, trees[0], row, index)


def _python(built: Built, folder: Path) -> Entrant:
    arguments = (str(built.python), *PYTHON.split()[1:])
    return Entrant(PYTHON, Command(arguments, folder, {}))


def _floors(built: Built, tree: Tree, row: str, index: Path) -> Iterator[Entrant]:
    """What the operating system alone takes for a row."""

    def probe(what: str) -> Entrant:
        command = Command(floor(built, what, tree, index), tree.folder, {})
        return Entrant(f"floor: {what}", command, _prelude(built, tree, row, index))

    def spawn(times: int) -> Entrant:
        arguments = (str(built.floors), "spawn", str(built.npm), "-j", "2", "-n", str(times))
        return Entrant(f"floor: {times} processes", Command(arguments, tree.folder, {}))

    match row:
        case "warm":
            yield from map(probe, ("stat", "check", "known"))
        case "changed":
            yield probe("check")
            yield spawn(2)
        case "hash":
            yield probe("hash")
        case "cold":
            yield probe("hash")
            yield spawn(tree.tasks)
        case "restore":
            yield _copying(built, tree)
        case _:
            pass


def _copying(built: Built, tree: Tree) -> Entrant:
    """Reading and writing as many files as there are outputs, in two threads."""
    source, number = GROUND / "outputs" / tree.folder.name, count()
    link = (
        GROUND / "copies"
    )  # one name for a new folder every time: the command line stays as it is

    def before() -> None:
        target = AWAY / f"copy-{tree.folder.name}-{next(number)}"
        target.mkdir(parents=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)

    arguments = (str(built.floors), "copy", str(source), "-j", "2", "-t", str(link))
    warm = (str(built.floors), "read", str(source))
    return Entrant("floor: copy", Command(arguments, tree.folder, {}), warm, before)


def _of_tool(built: Built, tree: Tree, row: str, index: Path) -> Iterator[Entrant]:
    """How one tool takes part in a row: not at all, once, or in two ways."""
    tool = tree.tool
    entrant = partial(_entrant, built, tree, row, index)
    match row:
        case "warm":
            yield entrant(tool.tests)
        case "changed":
            yield entrant(tool.tests, before=tree.edit, executes=2)
        case "hash" if tool.digests:
            yield entrant(tool.digest_all, before=partial(tree.forget, tool.digests))
        case "hash" if tool.digest_all:
            yield entrant(tool.digest_all, who=f"{tool.name}, digests from git's index")
            hidden = entrant(tool.digest_all, who=f"{tool.name} without git")
            yield replace(hidden, before=tree.hide_git, after=tree.show_git)
        case "cold" if tool.results:
            before = partial(tree.forget, tool.results)
            yield entrant(tool.tests, before=before, executes=tree.tasks)
        case "first" if tool.name == "pipec":
            before = partial(tree.forget, (".pipec",))
            yield entrant(tool.tests, before=before, executes=tree.tasks)
        case "graph" if tool.graph:
            yield entrant(tool.graph)
        case "present" if tool.builds:
            yield entrant(tool.builds)
        case "restore" if tool.builds:
            yield entrant(tool.builds, before=tree.forget_outputs)
        case _:
            pass


def _parts(built: Built, tree: Tree, row: str, index: Path) -> Iterator[Entrant]:
    """What a target adds to a floor, or takes from pipec's time."""
    entrant = partial(_entrant, built, tree, row, index)
    match row:
        case "changed":
            yield entrant(tree.tool.tests, who=NOTHING_TO_DO)
        case "cold":
            before = partial(tree.forget, tree.tool.digests)
            yield entrant(tree.tool.tests, before=before, who=DIGESTS_ALONE)
        case "restore":
            yield entrant(tree.tool.builds, who=NOTHING_TO_DO)
        case _:
            pass


def _entrant(
    built: Built,
    tree: Tree,
    row: str,
    index: Path,
    arguments: tuple[str, ...],
    *,
    before: Callable[[], None] = nothing,
    executes: int = 0,
    who: str = "",
) -> Entrant:
    tool = tree.tool
    return Entrant(
        who=who or tool.name,
        command=Command(arguments, tree.folder, environment(tool, built)),
        prelude=_prelude(built, tree, row, index),
        before=before,
        executes=executes if tool.name == "pipec" and row != "graph" else None,
        slow=tool.slow,
    )


def _prelude(built: Built, tree: Tree, row: str, index: Path) -> tuple[str, ...]:
    """Brings into the page cache what a row looks at: a floor on a colder cache is no floor."""
    return floor(built, "read" if row in READING_ROWS else "stat", tree, index)


def executed(tree: Path) -> int:
    """How many tasks pipec ran in its last run in a tree, by its own record."""
    runs = tree / ".pipec" / "runs"
    last = max(path for path in runs.iterdir() if (path / "execution.json").is_file())
    record = json.loads((last / "execution.json").read_bytes())
    return sum(task["status"] != "cached" for task in record["tasks"])
