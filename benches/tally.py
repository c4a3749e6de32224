"""Turns samples into one number for each entrant, leaving out those that others disturbed."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from benches.measure import Sample

CALM: Final = 0.12
"""The largest share of the machine that others may use during a sample that counts."""

ENOUGH: Final = 3
"""With fewer calm samples than this, the calmest half of all is taken, and the number is marked."""


@dataclass(frozen=True, slots=True)
class Number:
    """What one entrant took in one row: medians over samples, and how much to believe of it.

    `foreign` is the mean share of the machine that others used in the samples that count, `samples`
    how many those are, `discarded` how many were not counted, `noisy` whether any that count were
    not calm.
    """

    ms: float
    cpu_ms: float
    peak_mb: float
    foreign: float
    samples: int
    discarded: int
    noisy: bool

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Self:
        """The number of one entrant."""
        by_calm = sorted(samples, key=lambda sample: sample.foreign)
        calm = [sample for sample in by_calm if sample.foreign <= CALM]
        enough = len(calm) >= min(ENOUGH, len(samples))
        kept = calm if enough else by_calm[: max(len(calm), (len(samples) + 1) // 2)]
        return cls(
            ms=statistics.median(sample.wall_ms for sample in kept),
            cpu_ms=statistics.median(sample.cpu_ms for sample in kept),
            peak_mb=max(sample.peak_mb for sample in kept),
            foreign=statistics.fmean(sample.foreign for sample in kept),
            samples=len(kept),
            discarded=len(samples) - len(kept),
            noisy=not enough,
        )


class NotMeasuredError(Exception):
    """A number was asked for that this benchmark has not taken."""


Place = tuple[str, str, str]
"""A tree, a row and who."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """All numbers of a benchmark.

    `files` and `folders` are what a walk of a tree finds, `tasks` how many tasks it has; `calls`
    are system calls of a warm run of pipec, `rewritten` outputs that were there and were written
    again, by tool. A peak of `blind_mb` or less may be that of the bench itself.
    """

    taken: Mapping[Place, Number]
    files: Mapping[str, int]
    folders: Mapping[str, int]
    tasks: Mapping[str, int]
    calls: Mapping[str, int]
    rewritten: Mapping[str, int]
    blind_mb: int

    def at(self, tree: str, row: str, who: str = "pipec") -> Number:
        """One number.

        Raises:
            NotMeasuredError: it was not taken.
        """
        try:
            return self.taken[tree, row, who]
        except KeyError:
            raise NotMeasuredError(f"{who}: {row} on {tree}") from None

    def ms(self, tree: str, row: str, who: str = "pipec") -> float:
        """The wall time of one entrant; raises as `at` does."""
        return self.at(tree, row, who).ms

    def trees(self, row: str) -> list[str]:
        """The trees on which a row was measured, in the order of measuring."""
        return list(dict.fromkeys(tree for tree, each, _ in self.taken if each == row))

    def entrants(self, row: str) -> list[str]:
        """Who took part in a row, in the order of measuring."""
        return list(dict.fromkeys(who for _, each, who in self.taken if each == row))


def from_json(document: Mapping[str, object]) -> Numbers:
    """The numbers of a results file; the inverse of `to_json`."""
    rows: Iterable[dict[str, object]] = document["numbers"]  # type: ignore[assignment]
    taken: dict[Place, Number] = {}
    for row in rows:
        fields = dict(row)
        place = (str(fields.pop("tree")), str(fields.pop("row")), str(fields.pop("who")))
        taken[place] = Number(**fields)  # type: ignore[arg-type]
    return Numbers(taken=taken, **document["counts"])  # type: ignore[arg-type]
