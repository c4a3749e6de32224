"""What became of each part of an imported file: exact, approximated or dropped, where, and why."""

from dataclasses import dataclass, field
from typing import Literal

Fidelity = Literal["exact", "approximated", "dropped"]
FIDELITIES: tuple[Fidelity, ...] = ("exact", "approximated", "dropped")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file that was read; lines count from 1, the path is relative to the project."""

    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One part of the source: what it is, and what became of it, in words."""

    fidelity: Fidelity
    place: Place
    subject: str
    reason: str


@dataclass(slots=True)
class Report:
    """The notes, in the order in which they were made. The same note is kept once."""

    _notes: dict[Note, None] = field(default_factory=dict)

    def exact(self, place: Place, subject: str, reason: str) -> None:
        """The pipeline says the same."""
        self._add("exact", place, subject, reason)

    def approximated(self, place: Place, subject: str, reason: str) -> None:
        """The pipeline says something close; the reason names the difference."""
        self._add("approximated", place, subject, reason)

    def dropped(self, place: Place, subject: str, reason: str) -> None:
        """The pipeline does not say it; the reason says why."""
        self._add("dropped", place, subject, reason)

    def notes(self) -> tuple[Note, ...]:
        """All notes: exact, approximated, dropped; within these by file and line."""
        return tuple(
            sorted(
                self._notes,
                key=lambda note: (
                    FIDELITIES.index(note.fidelity),
                    note.place.path,
                    note.place.line,
                ),
            )
        )

    def _add(self, fidelity: Fidelity, place: Place, subject: str, reason: str) -> None:
        note = Note(fidelity=fidelity, place=place, subject=subject, reason=reason)
        self._notes.setdefault(note)
