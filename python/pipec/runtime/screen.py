"""The one listener of a run that has a screen: what it is told beside events."""

from collections.abc import Iterable
from typing import Protocol


class Screen(Protocol):
    """Shows a run to a person. What it raises when nobody reads any more is `BrokenPipeError`."""

    def expect(self, tasks: Iterable[tuple[str, int | None]]) -> None:
        """Something may run from now on: every task, and its last duration in milliseconds.

        None for a task that is new, 0 for one that has nothing to do.
        """

    def flush(self) -> None:
        """Somebody may have to wait now: says what there is to say, unless `beat` will."""

    def beat(self) -> float | None:
        """Draws what runs now, if it is time; gives the seconds until then.

        None: there is nothing to draw on.
        """

    def step_aside(self) -> None:
        """Leaves the terminal to somebody else until `come_back`."""

    def come_back(self) -> None:
        """The terminal is ours again."""

    def lost(self) -> None:
        """What stands on the screen is not what was drawn last."""
