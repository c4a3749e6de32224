"""A service: how a task is kept running for the tasks after it. Every default is filled in."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyOutput:
    """Ready when this regular expression is found in a line of its output."""

    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyHttp:
    """Ready when a GET of this address is answered with a status from 200 to 399."""

    http: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyPort:
    """Ready when this TCP port of the machine takes connections."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyCommand:
    """Ready when this command of the task's shell exits with 0."""

    command: str


Ready = ReadyOutput | ReadyHttp | ReadyPort | ReadyCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`ready` None: as soon as it has started. Nothing of this enters a key.

    `grace_ms` lies between asking it to end and killing it; 0: what the run gives any command.
    """

    ready: Ready | None = None
    ready_timeout_ms: int = 60_000
    restart: Literal["never", "on-failure", "always"] = "never"
    max_restarts: int = 5
    restart_delay_ms: int = 1000
    grace_ms: int = 0
