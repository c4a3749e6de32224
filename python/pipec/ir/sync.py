"""Generated files to keep current."""

from dataclasses import dataclass

from pipec.ir.sync_github import GithubSync
from pipec.ir.sync_tasks import SyncTasks


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """What is generated. None: not that."""

    github: GithubSync | None = None
    tasks: SyncTasks | None = None
