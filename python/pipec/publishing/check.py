"""One thing that a release needs, and how it stands."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "missing", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a release needs, and how it stands; `help` is what to do."""

    id: str
    status: Status
    message: str
    help: str | None = None
