"""The JSON documents of `pipec github`; their schemas are made from these."""

from dataclasses import dataclass
from typing import Literal

from pipec.backends.github.check import Verdict
from pipec.cli.documents import SCHEMA_VERSION, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDrift:
    """One way in which the workflow is not what it should be.

    `path` is the file to blame, from the top of the repository. Without `verdict` nothing could be
    compared.
    """

    code: str
    message: str
    help: tuple[str, ...]
    path: str
    places: tuple[Place, ...]
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubCheckDocument:
    """Whether the workflow is what the pipeline asks for. `pipec github check --format json`."""

    schema_version: int = SCHEMA_VERSION
    workflow: str
    lock: str
    pins: str
    is_current: bool
    drifts: tuple[FoundDrift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPermission:
    """What the token of a job may do."""

    scope: str
    level: Literal["read", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """What an event does with a job. `runs_on` has a list of labels for each runner."""

    id: str
    runs: bool
    reason: str
    targets: tuple[str, ...]
    needs: tuple[str, ...]
    runs_on: tuple[tuple[str, ...], ...]
    timeout_minutes: int
    permissions: tuple[PlannedPermission, ...]
    secrets: tuple[str, ...]
    variables: tuple[str, ...]
    environment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEvent:
    """What happened; what is None is not known or not of this event."""

    name: str
    ref: str | None = None
    base: str | None = None
    action: str | None = None
    cron: str | None = None
    job: str | None = None
    changed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubPlanDocument:
    """What an event would run. `pipec github plan --format json`."""

    schema_version: int = SCHEMA_VERSION
    event: PlannedEvent
    jobs: tuple[PlannedJob, ...]
