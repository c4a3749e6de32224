"""The targets: what pipec may take, as ratios to floors and rivals measured in the same rounds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benches.cases import DIGESTS_ALONE, NOTHING_TO_DO, PYTHON
from benches.tally import NotMeasuredError, Numbers

Formula = Callable[[Numbers], float]

TURBO: Final = "turbo"
WITH_GIT: Final = "turbo, digests from git's index"
WITHOUT_GIT: Final = "turbo without git"
GROWTH: Final = 1.15


@dataclass(frozen=True, slots=True)
class Target:
    """One target: `taken` has to be at most `limit`."""

    case: str
    says: str
    taken: Formula
    limit: Formula
    unit: str = "ms"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one target came out; both numbers are None if something it needs was not measured."""

    target: Target
    taken: float | None
    limit: float | None

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None if that was not measured."""
        if self.taken is None or self.limit is None:
            return None
        return self.taken <= self.limit


def judge(numbers: Numbers) -> list[Verdict]:
    """Every target, measured or not."""
    verdicts = []
    for target in TARGETS:
        try:
            verdicts.append(Verdict(target, target.taken(numbers), target.limit(numbers)))
        except NotMeasuredError:
            verdicts.append(Verdict(target, None, None))
    return verdicts


def _ms(tree: str, row: str, who: str = "pipec", times: float = 1) -> Formula:
    return lambda numbers: times * numbers.ms(tree, row, who)


def _sum(*parts: Formula) -> Formula:
    return lambda numbers: sum(part(numbers) for part in parts)


def _python(tree: str, row: str, times: float = 1) -> Formula:
    return _ms(tree, row, PYTHON, times)


def _floor(tree: str, row: str, what: str, times: float = 1) -> Formula:
    return _ms(tree, row, f"floor: {what}", times)


def _spawns(row: str, times: float = 1) -> Formula:
    """As many processes as there are tasks in the tree whose tasks do nothing."""

    def formula(numbers: Numbers) -> float:
        if "E" not in numbers.tasks:
            raise NotMeasuredError(row)
        return times * numbers.ms("E", row, f"floor: {numbers.tasks['E']} processes")

    return formula


def _overhead(numbers: Numbers) -> float:
    """What a task costs beyond digesting its inputs and beyond starting a process."""
    digests = numbers.ms("E", "cold", DIGESTS_ALONE)
    work = numbers.ms("E", "cold") - digests - _spawns("cold")(numbers)
    return work / numbers.tasks["E"]


def _growth(numbers: Numbers) -> float:
    return numbers.ms("L", "warm") / numbers.ms("M", "warm")


def _call_growth(numbers: Numbers) -> float:
    try:
        return numbers.calls["L"] / numbers.calls["M"]
    except KeyError:
        raise NotMeasuredError("calls") from None


def _file_growth(numbers: Numbers) -> float:
    try:
        return GROWTH * numbers.files["L"] / numbers.files["M"]
    except KeyError:
        raise NotMeasuredError("files") from None


def _rewritten(numbers: Numbers) -> float:
    try:
        return numbers.rewritten["pipec"]
    except KeyError:
        raise NotMeasuredError("outputs present") from None


def _peak(numbers: Numbers) -> float:
    return numbers.at("L", "warm").peak_mb


def _warm(tree: str, says: str, limit: Formula) -> Target:
    return Target(f"warm, {tree}", says, _ms(tree, "warm"), limit)


def _hash(tree: str) -> list[Target]:
    taken = _ms(tree, "hash")
    floor = _sum(_python(tree, "hash"), _floor(tree, "hash", "hash", 1.25))
    return [
        Target(f"cold hash, {tree}", "≤ P + 1.25 x hash", taken, floor),
        Target(
            f"cold hash, {tree}",
            "≤ 0.15 x turbo without git",
            taken,
            _ms(tree, "hash", WITHOUT_GIT, 0.15),
        ),
        Target(
            f"cold hash, {tree}",
            "≤ 0.35 x turbo with git",
            taken,
            _ms(tree, "hash", WITH_GIT, 0.35),
        ),
    ]


TARGETS: Final[tuple[Target, ...]] = (
    _warm(
        "S",
        "≤ 2.5 x (P + check)",
        _sum(_python("S", "warm", 2.5), _floor("S", "warm", "check", 2.5)),
    ),
    _warm("S", "≤ 0.6 x turbo", _ms("S", "warm", TURBO, 0.6)),
    _warm(
        "M",
        "≤ 1.5 x (P + check)",
        _sum(_python("M", "warm", 1.5), _floor("M", "warm", "check", 1.5)),
    ),
    _warm("M", "≤ 0.2 x turbo", _ms("M", "warm", TURBO, 0.2)),
    _warm("M", "≤ 0.85 x git status", _ms("M", "warm", "git status", 0.85)),
    _warm("L", "≤ P + 1.2 x stat", _sum(_python("L", "warm"), _floor("L", "warm", "stat", 1.2))),
    _warm("L", "≤ 0.125 x turbo", _ms("L", "warm", TURBO, 0.125)),
    _warm(
        "L",
        "≤ P + 1.25 x known (unchanged folders not listed)",
        _sum(_python("L", "warm"), _floor("L", "warm", "known", 1.25)),
    ),
    Target(
        "one file changed, 2 tasks",
        "≤ 1.1 x (no-op + 2 processes)",
        _ms("E", "changed"),
        _sum(_ms("E", "changed", NOTHING_TO_DO, 1.1), _floor("E", "changed", "2 processes", 1.1)),
    ),
    Target(
        "one file changed, 2 tasks",
        "≤ 0.2 x turbo",
        _ms("E", "changed"),
        _ms("E", "changed", TURBO, 0.2),
    ),
    *_hash("M"),
    *_hash("L"),
    Target(
        "cold run, tasks that do nothing",
        "≤ P + hash + 1.4 x a process for each",
        _ms("E", "cold"),
        _sum(_python("E", "cold"), _floor("E", "cold", "hash"), _spawns("cold", 1.4)),
    ),
    Target(
        "cold run, tasks that do nothing",
        "≤ 0.5 x turbo",
        _ms("E", "cold"),
        _ms("E", "cold", TURBO, 0.5),
    ),
    Target(
        "graph, L",
        "≤ P + 45 ms",
        _ms("L", "graph"),
        _sum(_python("L", "graph"), lambda _: 45),
    ),
    Target("`--version`", "≤ 1.4 x P", _ms("-", "version"), _python("-", "version", 1.4)),
    Target("`--help`", "≤ 2.5 x P", _ms("-", "help"), _python("-", "help", 2.5)),
    Target(
        "restore",
        "≤ 1.6 x copy + no-op",
        _ms("R", "restore"),
        _sum(_floor("R", "restore", "copy", 1.6), _ms("R", "restore", NOTHING_TO_DO)),
    ),
    Target("restore", "≤ 0.3 x turbo", _ms("R", "restore"), _ms("R", "restore", TURBO, 0.3)),
    Target("outputs present", "none written again", _rewritten, lambda _: 0, unit="files"),
    Target("peak memory, L", "≤ 90 MB", _peak, lambda _: 90, unit="MB"),
    Target("a task's overhead", "≤ 0.3 ms over a process", _overhead, lambda _: 0.3),
    Target("growth of time, M to L", "≤ 1.15 x growth of files", _growth, _file_growth, unit="x"),
    Target(
        "growth of calls, M to L", "≤ 1.15 x growth of files", _call_growth, _file_growth, unit="x"
    ),
)
