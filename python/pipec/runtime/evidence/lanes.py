"""Puts tasks that overlap in time beside each other, in as few lanes as there were at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time: milliseconds since the epoch, the end not included."""

    name: str
    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        """How long it took."""
        return self.end_ms - self.start_ms


def lanes_of(spans: Iterable[Span]) -> dict[str, int]:
    """The lane of each span, from 0: no two in one lane overlap, and no lane is without need."""
    lanes: dict[str, int] = {}
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda span: (span.start_ms, span.end_ms, span.name)):
        while busy and busy[0][0] <= span.start_ms:
            heappush(free, heappop(busy)[1])
        lane = heappop(free) if free else len(busy)
        lanes[span.name] = lane
        heappush(busy, (max(span.end_ms, span.start_ms + 1), lane))
    return lanes
