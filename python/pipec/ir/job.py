"""A job: a named entry point, its targets and its triggers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NewType

from pipec.ir.env import EnvValue
from pipec.ir.task import TaskId

JobId = NewType("JobId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnvironment:
    """A deployment environment of GitHub."""

    name: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A typed parameter of a job; without `default` it must be given. `choices` is for `choice`."""

    type: Literal["string", "int", "bool", "choice"] = "string"
    default: str | None = None
    description: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubPages:
    """A folder that is published on GitHub Pages after the job."""

    path: str
    environment: str = "github-pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubSettings:
    """What the generated GitHub job needs. `runs_on_matrix`: one job for each list of labels.

    Of the jobs that name one group in `concurrency` GitHub runs one at a time.
    """

    permissions: Mapping[str, str] = field(default_factory=dict)
    runs_on: tuple[str, ...] = ()
    runs_on_matrix: tuple[tuple[str, ...], ...] = ()
    timeout_minutes: int | None = None
    concurrency: str = ""
    cancel_in_progress: bool = False
    pages: GithubPages | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. `foreign_targets` are targets in members and sources, as written and sorted."""

    id: JobId
    description: str = ""
    targets: tuple[TaskId, ...] = ()
    foreign_targets: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    env: Mapping[str, EnvValue] = field(default_factory=dict)
    params: Mapping[str, Param] = field(default_factory=dict)
    needs: tuple[JobId, ...] = ()
    environment: JobEnvironment | None = None
    provenance: bool = False
    execution: str = ""
    mode: Literal["", "manual", "ci"] = ""
    timeout_ms: int | None = None
    github: GithubSettings = field(default_factory=GithubSettings)
