"""What came of publishing, as data."""

from dataclasses import dataclass
from typing import Literal

Action = Literal["published", "skipped", "would-publish"]
Reason = Literal["already-published", "fork", "stale-head"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One thing that was published, or why not. `files` are names of what was sent.

    `where` is the address of the registry or of GitHub. `note` is a sentence beside the outcome.
    """

    action: Action
    name: str
    version: str
    where: str
    reason: Reason | None = None
    files: tuple[str, ...] = ()
    note: str | None = None
