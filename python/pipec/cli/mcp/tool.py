"""A tool: its name, what it takes, and what answers. Its schema is that of its arguments."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, StringConstraints

from pipec.cli.invocation import Invocation

Name = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f]+$")]
"""A job or a task. It is looked up in the pipeline and is never a part of a path."""

RunName = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]*$")
]
"""The id of a run, its beginning, or `latest`. It is looked up among the records."""


class Arguments(BaseModel):
    """What a tool takes; anything else is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Nothing(Arguments):
    """No arguments."""


class Progress(Protocol):
    """Tells the client how far a call is."""

    async def __call__(self, done: int, total: int, message: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a tool. `invocation`: the project, read anew for each call."""

    invocation: Invocation
    arguments: Any
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool of the server. `answer` gives plain data or a dataclass; `runs`: it runs tasks.

    `look` is called in a thread, `work` on the event loop; a tool has one of them.
    """

    name: str
    description: str
    arguments: type[Arguments]
    look: Callable[[Call], Any] | None = None
    work: Callable[[Call], Awaitable[Any]] | None = None
    runs: bool = False
