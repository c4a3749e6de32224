"""An agent: the command line that agent steps hand their prompt to."""

from dataclasses import dataclass

from pipec.ir.env import Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A program with its arguments; an empty `model` leaves the choice to it."""

    command: tuple[str, ...]
    model: str | Variable = ""
