"""What runs the commands of steps: processes of this machine, or whatever stands in for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

Sink = Callable[[bytes], None]
"""Takes output as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start, and where. `cwd` is absolute; `env` is all that the command sees."""

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a command ended. `code` is what a shell says: 124 timed out, 128 plus a signal's number.

    `duration_ms` by the run's clock. `signal` is the name of the signal that ended it, such as
    `SIGTERM`. `group` is the command's process group if something in it lives on.
    """

    code: int
    duration_ms: int
    signal: str | None = None
    timed_out: bool = False
    group: int | None = None


class Executor(Protocol):
    """Runs one command to its end."""

    async def run(self, command: Command, sink: Sink, *, timeout_s: float | None = None) -> Exit:
        """Runs the command. `sink` gets its output as it comes, errors among it.

        `timeout_s`: when so many seconds are over, the command is ended, and `timed_out` says so.
        A call that is cancelled ends the command.

        Raises:
            OSError: it cannot be started.
        """
