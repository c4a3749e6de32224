"""Generated files to keep current."""

from dataclasses import dataclass
from typing import Any

from pipec.ir.sync_github import GithubSync


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """What is generated. None: not that. `tasks` is as the file has it."""

    github: GithubSync | None = None
    tasks: Any = None
