"""A workflow of GitHub Actions as frozen values; `emit` prints one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipec.backends.github.expression import Expression, Template

Value = str | Template | bool | int
"""A scalar of the workflow. A `str` is shown as it is, a `Template` is evaluated by GitHub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """An action, its version as people say it, and the commit that is run.

    `owner_id` and `repo_id` are GitHub's numbers of the owner and of the repository, where they are
    known. A name can come to mean another repository; a number cannot.
    """

    action: str
    version: str
    sha: str
    owner_id: int | None = None
    repo_id: int | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """An action by its repository; `path` leads to one of several in it."""

    repository: str
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: an action or a script."""

    name: str
    id: str = ""
    condition: Expression | None = None
    uses: Action | None = None
    inputs: Mapping[str, Value] = field(default_factory=dict)
    env: Mapping[str, Value] = field(default_factory=dict)
    run: str = ""
    working_directory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One permission of a job's token, and why the job has it."""

    scope: str
    level: Literal["read", "write"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A deployment environment."""

    name: str | Template
    url: str | Template = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """A group that runs one at a time."""

    group: str | Template
    cancel_in_progress: bool | Template = False


Labels = tuple[str, ...]
CacheMode = Literal["", "none", "read", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. With `runner_matrix` there is one for each of its entries instead of `runs_on`."""

    id: str
    name: str | Template
    runs_on: Labels
    runner_matrix: tuple[Labels, ...] = ()
    condition: Expression | None = None
    needs: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = ()
    environment: Environment | None = None
    concurrency: Concurrency | None = None
    timeout_minutes: int = 30
    cache_mode: CacheMode = ""
    outputs: Mapping[str, Template] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One time at which the workflow starts; an empty `timezone` is UTC."""

    cron: str
    timezone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What of an event starts the workflow; nothing given: all of it."""

    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A value that is asked for when the workflow is started by hand."""

    name: str
    type: Literal["string", "boolean", "number", "choice"]
    description: str
    required: bool = False
    default: str | bool | int | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class On:
    """What starts the workflow. `inputs` None: not by hand."""

    events: Mapping[str, EventFilter] = field(default_factory=dict)
    schedules: tuple[Schedule, ...] = ()
    inputs: tuple[Input, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """The whole file. `header` are the lines of the comment above it."""

    header: tuple[str, ...]
    name: str
    on: On
    jobs: tuple[Job, ...]
    pins: Mapping[str, Pin]
    concurrency: Concurrency | None = None
    working_directory: str = ""
