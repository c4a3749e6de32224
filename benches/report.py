"""Writes the numbers of a benchmark as Markdown: the targets, every row, the machine."""

from collections.abc import Iterable, Mapping, Sequence

from benches.cases import PYTHON, ROWS
from benches.tally import NotMeasuredError, Number, Numbers
from benches.targets import Verdict, judge

FLOORS = {
    "warm": "floor: check",
    "changed": "floor: check",
    "hash": "floor: hash",
    "restore": "floor: copy",
    "version": PYTHON,
    "help": PYTHON,
}
"""What each row is a multiple of; the others are multiples of pipec's own."""


def markdown(numbers: Numbers, remarks: Sequence[str] = ()) -> str:
    """The whole report, without a heading of its own."""
    parts = [_targets(judge(numbers)), *_rows(numbers), _machine(numbers)]
    if remarks:
        parts.append("Remarks of the run:\n\n" + "".join(f"- {remark}\n" for remark in remarks))
    return "\n".join(parts)


def _targets(verdicts: Iterable[Verdict]) -> str:
    rows = []
    for verdict in verdicts:
        target = verdict.target
        if verdict.taken is None or verdict.limit is None:
            rows.append([target.case, target.says, "", "", "not measured"])
            continue
        rows.append(
            [
                target.case,
                target.says,
                f"{_short(verdict.limit)} {target.unit}",
                f"{_short(verdict.taken)} {target.unit}",
                _outcome(verdict.taken, verdict.limit),
            ]
        )
    return "### Targets\n\n" + _table(["case", "target", "here", "taken", "outcome"], rows)


def _outcome(taken: float, limit: float) -> str:
    """Reached or missed, and by how much."""
    verdict = "reached" if taken <= limit else "**missed**"
    return f"{verdict}, {taken / limit:.2f} of it" if limit > 0 else verdict


def _rows(numbers: Numbers) -> Iterable[str]:
    for row, meaning in ROWS.items():
        trees = numbers.trees(row)
        if not trees:
            continue
        against = FLOORS.get(row, "pipec")
        head = ["", *(f"{_named(tree)}ms" for tree in trees)]
        lines = []
        for who in numbers.entrants(row):
            cells = [_cell(numbers, tree, row, who, against) for tree in trees]
            lines.append([f"**{who}**" if who == "pipec" else who, *cells])
        note = f"In brackets: multiples of {against.replace('floor: ', 'the floor ')}."
        yield f"### {meaning[0].upper()}{meaning[1:]}\n\n{note}\n\n" + _table(head, lines)
    if peaks := list(_peaks(numbers)):
        trees = numbers.trees("warm")
        yield "### Peak memory of a warm run\n\n" + _table(
            ["", *(f"{_named(tree)}MB" for tree in trees)], peaks
        )
    if numbers.rewritten:
        lines = [[who, str(count)] for who, count in numbers.rewritten.items()]
        yield "### Outputs that were there and were written again\n\n" + _table(
            ["", "files"], lines
        )
    if numbers.calls:
        lines = [
            [tree, str(calls), str(numbers.files[tree]), f"{calls / numbers.files[tree]:.2f}"]
            for tree, calls in numbers.calls.items()
        ]
        head = ["tree", "calls", "files", "calls a file"]
        yield "### System calls of a warm run of pipec\n\n" + _table(head, lines)


def _named(tree: str) -> str:
    return "" if tree == "-" else f"{tree} "


def _cell(numbers: Numbers, tree: str, row: str, who: str, against: str) -> str:
    """A time, `~` before it where too few samples were calm, and the ratio to the floor."""
    try:
        number = numbers.at(tree, row, who)
    except NotMeasuredError:
        return ""
    try:
        ratio = f" ({_short(number.ms / numbers.ms(tree, row, against))})"
    except NotMeasuredError:
        ratio = ""
    return f"{'~' if number.noisy else ''}{_short(number.ms)}{ratio if who != against else ''}"


def _peaks(numbers: Numbers) -> Iterable[list[str]]:
    for who in numbers.entrants("warm"):
        if who.startswith("floor") or who == PYTHON:
            continue
        cells = []
        for tree in numbers.trees("warm"):
            number = numbers.taken.get((tree, "warm", who))
            if number is None:
                cells.append("")
            elif number.peak_mb <= numbers.blind_mb:
                cells.append(f"≤ {numbers.blind_mb}")
            else:
                cells.append(f"{number.peak_mb:.0f}")
        yield [who, *cells]


def _machine(numbers: Numbers) -> str:
    """The machine in units of its own: what P, the start of a bare interpreter, is worth."""
    lines = []

    def line(what: str, row: str, who: str, divisor: Mapping[str, int]) -> None:
        for tree in reversed(numbers.trees(row)):
            number: Number | None = numbers.taken.get((tree, row, who))
            if number is not None and divisor.get(tree):
                worth = numbers.ms(tree, row, PYTHON) / (number.ms / divisor[tree])
                lines.append([what, f"{worth:,.0f}"])
                return

    line(
        "files listed and asked for their state, two threads", "warm", "floor: stat", numbers.files
    )
    line("the same and looked up in an index", "warm", "floor: check", numbers.files)
    line("files asked for their state, not listed", "warm", "floor: known", numbers.files)
    line("files opened, read and digested, two threads", "hash", "floor: hash", numbers.files)
    for tree, tasks in numbers.tasks.items():
        who = f"floor: {tasks} processes"
        line("processes started and waited for, two at a time", "cold", who, {tree: tasks})
    return "### The machine: in the time of P it does\n\n" + _table(["what", "how many"], lines)


def _short(value: float) -> str:
    """Three digits that count, and no fraction of nothing."""
    if not value:
        return "0"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2  # noqa: PLR2004 - powers of ten
    return f"{value:,.{digits}f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
