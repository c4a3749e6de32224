"""Runs the benchmark: builds, makes trees, measures round after round, judges, writes the results.

python -m benches.run            S, M, L and all rows, as `make bench`; an hour or more
python -m benches.run --quick    S and small trees, without nx and moon, as `make bench-quick`
python -m benches.run --docs     only puts the newest full results into the documentation
"""

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benches.build import ROOT, SCRATCH, Built, build, describe_source
from benches.cases import Case, Entrant, executed, start_cases, tree_cases
from benches.kept import RESULTS, newest_tables
from benches.measure import CORES, Command, CommandFailedError, Sample, blind_mb, sample
from benches.plan import Shape
from benches.report import markdown
from benches.rivals import FROM_NPM, FROM_PYPI, Tool, environment, install, pipec, rivals
from benches.tally import CALM, Number, Numbers, Place, from_json
from benches.trees import FULL, GROUND, MILLION, QUICK, Tree, clear_away, provide, take_index

PAGE: Final = ROOT / "docs" / "concepts" / "performance.md"
START: Final = "<!-- what follows is written by `python -m benches.run --docs` -->\n"
END: Final = "<!-- up to here -->\n"

ROUNDS: Final = {"-": 9, "S": 9, "M": 7, "L": 5, "E": 5, "R": 5, "X": 3}
QUICK_ROUNDS: Final = 4
SLOW_ROUNDS: Final = 2
"""Tools that take minutes are measured this often; what they show is an order of magnitude."""

SLOW_TREES: Final = ("S", "M")
PRIMING_RUNS: Final = 3
"""Files written a moment ago are digested again by careful tools: the third run is settled."""


@dataclass(slots=True)
class Bench:
    """What a benchmark has at hand, and what it has found so far."""

    built: Built
    tools: Sequence[Tool]
    rounds: int | None
    samples: dict[Place, list[Sample]] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    rewritten: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def measure_start(self) -> None:
        """`--version` and `--help` of everybody."""
        self._measure(start_cases(self.built, self.tools), ROUNDS["-"], {})

    def measure_tree(self, name: str, shape: Shape) -> None:
        """All rows on one tree size."""
        trees = [provide(name, shape, tool) for tool in self._tools_on(name)]
        for tree in trees:
            say(f"{name}: priming {tree.tool.name}")
            self._prime(tree)
        index = SCRATCH / f"{name}.index"
        self.folders[name], self.files[name] = take_index(self.built, trees[0], index)
        self.tasks[name] = trees[0].tasks
        if name == "R":
            self._look_at_outputs(trees)
        by_tool = {tree.tool.name: tree for tree in trees}
        try:
            self._measure(tree_cases(self.built, trees, index), ROUNDS[name], by_tool)
            self._count_calls(trees[0])
        finally:
            for tree in trees:
                tree.undo_edit()
                if tree.tool.stop:  # a daemon would be load for all that follow
                    self._run_untimed(tree, tree.tool.stop)

    def _tools_on(self, name: str) -> list[Tool]:
        """Who takes part on a tree: not those that would need hours, or could do nothing there."""
        match name:
            case "X":
                return [tool for tool in self.tools if tool.name == "pipec"]
            case "R":
                return [tool for tool in self.tools if tool.builds and not tool.slow]
            case _:
                return [tool for tool in self.tools if not tool.slow or name in SLOW_TREES]

    def numbers(self) -> Numbers:
        """What has been found."""
        taken = {place: Number.of(samples) for place, samples in self.samples.items() if samples}
        return Numbers(
            taken,
            self.files,
            self.folders,
            self.tasks,
            self.calls,
            self.rewritten,
            math.ceil(blind_mb()),
        )

    def _prime(self, tree: Tree) -> None:
        """Brings a tool to the state in which nothing is left to do."""
        if tree.tool.name == "pipec" and (tree.folder / ".pipec").exists():
            tree.forget((".pipec",))  # what another version of pipec has left
        command = tree.tool.builds if tree.name == "R" else tree.tool.tests
        for _ in range(PRIMING_RUNS):
            self._run_untimed(tree, command)
        if tree.name == "R":
            copy = GROUND / "outputs" / tree.folder.name
            shutil.rmtree(copy, ignore_errors=True)
            for outputs in tree.outputs():
                shutil.copytree(outputs, copy / outputs.parent.name)

    def _measure(self, cases: Sequence[Case], rounds: int, trees: Mapping[str, Tree]) -> None:
        """Every entrant of every row in turn, round after round."""
        dropped: set[Place] = set()
        for case in cases:
            for turn in range(self.rounds or rounds):
                say(f"{case.tree} {case.row}: round {turn + 1}", end="\r")
                for entrant in case.entrants:
                    place = (case.tree, case.row, entrant.who)
                    if place in dropped or (entrant.slow and turn >= SLOW_ROUNDS):
                        continue
                    try:
                        self.samples.setdefault(place, []).append(take(entrant))
                    except (CommandFailedError, FileNotFoundError, WrongWorkError) as error:
                        self.remarks.append(f"{case.row} on {case.tree}: {_public(str(error))}")
                        self.samples.pop(place, None)
                        dropped.add(place)
            say(f"{case.tree} {case.row}: done      ")
            self._settle(case.row, trees.values())

    def _settle(self, row: str, trees: Iterable[Tree]) -> None:
        """After a row that changes something: everything as it was, and known to be."""
        if row not in {"changed", "hash", "cold", "first"}:
            return
        for tree in trees:
            if row == "changed":
                tree.undo_edit()
            if row == "changed" or tree.tool.name == "pipec":
                for _ in range(PRIMING_RUNS - 1):
                    self._run_untimed(tree, tree.tool.tests)

    def _look_at_outputs(self, trees: Iterable[Tree]) -> None:
        """Counts the outputs that a tool writes although they are there."""
        for tree in trees:
            before = tree.stamps()
            self._run_untimed(tree, tree.tool.builds)
            after = tree.stamps()
            self.rewritten[tree.tool.name] = sum(after[path] != before[path] for path in before)

    def _count_calls(self, tree: Tree) -> None:
        """Counts system calls of a warm run, where strace is there."""
        strace, counts = shutil.which("strace"), SCRATCH / "calls"
        if strace is None or tree.name not in {"S", "M", "L"}:
            return
        traced = (strace, "-f", "-qq", "-c", "-U", "calls", "-o", str(counts), *tree.tool.tests)
        self._run_untimed(tree, traced)
        self.calls[tree.name] = int(counts.read_text().split()[-2])

    def _run_untimed(self, tree: Tree, arguments: tuple[str, ...]) -> None:
        command = Command(arguments, tree.folder, environment(tree.tool, self.built))
        sample(command, before=_nothing, after=_nothing, scratch=SCRATCH, seconds=0)


class WrongWorkError(Exception):
    """A tool did more or less than the row says: its number would be for another row."""


def take(entrant: Entrant) -> Sample:
    """One sample of one entrant, its files in the page cache.

    Raises:
        CommandFailedError: it did not end with 0.
        WrongWorkError: pipec ran other tasks than it should have.
    """
    if entrant.prelude:
        subprocess.run(entrant.prelude, stdout=subprocess.DEVNULL, check=True)
    taken = sample(entrant.command, before=entrant.before, after=entrant.after, scratch=SCRATCH)
    if entrant.executes is not None:
        ran = executed(entrant.command.folder)
        if ran != entrant.executes:
            raise WrongWorkError(f"pipec ran {ran} tasks instead of {entrant.executes}")
    return taken


def write_results(bench: Bench, *, mode: str, shapes: Mapping[str, Shape], source: Path) -> Path:
    """Writes the JSON file and its Markdown; gives the path of the former."""
    numbers = bench.numbers()
    now = datetime.now(UTC)
    document = {
        "date": now.isoformat(timespec="seconds"),
        "mode": mode,
        "source": describe_source(source),
        "tools": FROM_NPM | FROM_PYPI,
        "machine": {
            "cores": CORES,
            "processor": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
        },
        "trees": {name: asdict(shape) for name, shape in shapes.items()},
        "calm_below": CALM,
        "counts": {
            "files": numbers.files,
            "folders": numbers.folders,
            "tasks": numbers.tasks,
            "calls": numbers.calls,
            "rewritten": numbers.rewritten,
            "blind_mb": numbers.blind_mb,
        },
        "numbers": [
            {"tree": tree, "row": row, "who": who, **_rounded(asdict(number))}
            for (tree, row, who), number in numbers.taken.items()
        ],
        "samples": [
            {"tree": tree, "row": row, "who": who, **_rounded(asdict(each))}
            for (tree, row, who), samples in bench.samples.items()
            for each in samples
        ],
        "remarks": bench.remarks,
    }
    RESULTS.mkdir(exist_ok=True)
    stem = f"{now.date()}{'' if mode == 'full' else f'-{mode}'}"
    path = RESULTS / f"{stem}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    path.with_suffix(".md").write_text(f"# {stem}\n\n{render(document)}")
    return path


def render(document: Mapping[str, object]) -> str:
    """The Markdown of a results file: how it was taken, and its tables."""
    numbers = from_json(document)
    remarks = [str(remark) for remark in document["remarks"]]  # type: ignore[attr-defined]
    all_numbers = numbers.taken.values()
    discarded = sum(number.discarded for number in all_numbers)
    samples = discarded + sum(number.samples for number in all_numbers)
    noisy = sum(number.noisy for number in all_numbers)
    trees = ", ".join(
        f"{name}: {numbers.files[name]:,} files, {numbers.tasks[name]:,} tasks"
        for name in numbers.files
    )
    return (
        f"Taken {str(document['date'])[:10]}, {document['mode']}. {trees}. Of {samples:,} samples"
        f" {discarded:,} were discarded for the load of others; {noisy} of {len(all_numbers)}"
        " numbers come from samples that were not calm and are marked `~`.\n\n"
        f"{markdown(numbers, remarks)}"
    )


def write_docs(results: Path) -> None:
    """Puts the tables of a results file between the marks of the documentation's page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    _, after = rest.split(END)
    tables = render(json.loads(results.read_text()))
    more = newest_tables()
    PAGE.write_text(f"{before}{START}\n{tables}\n{more}\n{END}{after}", encoding="utf-8")


def newest_results() -> Path:
    """The newest full results, or the newest of any kind if there are none.

    Raises:
        FileNotFoundError: there are no results at all.
    """
    found = list(RESULTS.glob("*.json"))
    if not found:
        raise FileNotFoundError("no results yet: run `make bench`")
    return max(found, key=lambda path: (path.stem.replace("-", "").isdigit(), path.stem))


def say(text: str, *, end: str = "\n") -> None:
    """Tells whoever waits how far it is."""
    print(text, end=end, file=sys.stderr, flush=True)


def _rounded(values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in values.items()
    }


def _public(text: str) -> str:
    """A remark without the paths of this machine, on one line."""
    for path, name in ((ROOT, "<project>"), (GROUND, "<trees>"), (Path.home(), "<home>")):
        text = text.replace(str(path), name)
    return " ".join(text.split())[:300]


def _nothing() -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="small trees only, without nx and moon")
    add("--million", action="store_true", help="a warm run on 1,000,000 files as well")
    add("--trees", metavar="S,M", help="only these trees (and the start)")
    add("--rounds", type=int, metavar="N", help="rounds of every row")
    add("--no-slow", action="store_true", help="without nx and moon")
    add("--source", type=Path, default=ROOT, metavar="DIR", help="the checkout to build pipec from")
    add("--docs", action="store_true", help="only write the newest results into the documentation")
    options = parser.parse_args(arguments)
    if options.docs:
        write_docs(newest_results())
        return 0

    shapes = dict(QUICK if options.quick else FULL)
    if options.million:
        shapes |= MILLION
    if options.trees:
        shapes = {name: shapes[name] for name in options.trees.split(",")}
    slow = not (options.quick or options.no_slow)
    started = time.monotonic()
    say("building pipec, installing the others")
    install(slow=slow)
    built = build(options.source)
    tools = [pipec(built), *rivals(slow=slow)]
    clear_away()
    bench = Bench(built, tools, options.rounds or (QUICK_ROUNDS if options.quick else None))
    try:
        bench.measure_start()
        for name, shape in shapes.items():
            bench.measure_tree(name, shape)
    finally:
        os.chdir(ROOT)
        clear_away()
    mode = "quick" if options.quick else "full" if shapes.keys() >= FULL.keys() else "partial"
    path = write_results(bench, mode=mode, shapes=shapes, source=options.source)
    print(path.with_suffix(".md").read_text())
    say(f"{path.relative_to(ROOT)}, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
