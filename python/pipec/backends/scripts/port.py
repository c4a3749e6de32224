"""What a runner has to be able to do: read the scripts of a file, and edit them in place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Made:
    """A table that stood empty, or not at all, before there were scripts of ours in it.

    `at` is its route, joined by dots. `was` is what stood there: None for nothing. `glue` is what
    parts a section from the text before it.
    """

    at: str
    was: str | None = None
    glue: str = ""


@dataclass(frozen=True, slots=True)
class Edited:
    """A text with its scripts as they should be, and the tables that were made for them."""

    text: str
    made: tuple[Made, ...] = ()


class UnsuitableError(Exception):
    """A file cannot be edited; the message ends the sentence "`path` …"."""


@dataclass(frozen=True, slots=True)
class Companion:
    """A file beside the manifest that is generated whole and holds the scripts."""

    name: str
    render: Callable[[Mapping[str, str]], str]


class Runner(Protocol):
    """A tool that calls scripts which stand in a file of the project.

    `separator` stands between the words of a script's name. With a `companion` the manifest has one
    line that includes it; without, the manifest holds the scripts.
    """

    name: str
    separator: str
    companion: Companion | None

    def is_used_in(self, text: str) -> bool:
        """Whether a file of the root that nobody named has scripts of this runner."""

    def entries(self, text: str, asked: Sequence[str]) -> Mapping[str, str | None]:
        """Which of these names the file has, with their commands; None for what is no plain one.

        Raises:
            UnsuitableError: the file cannot be read.
        """

    def edit(
        self, text: str, *, wanted: Mapping[str, str], owned: Sequence[str], made: Sequence[Made]
    ) -> Edited:
        """The text with the wanted scripts, and without those owned that are not wanted.

        No other byte changes. If none is wanted, the text is what it was before the first.

        Raises:
            UnsuitableError: the file has no place for scripts.
        """
