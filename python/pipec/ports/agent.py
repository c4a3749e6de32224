"""What answers agent steps: the commands of profiles, or whatever stands in for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pipec.ports.executor import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent step asks. `model` is empty where the choice is the agent's.

    `cwd` is the task's folder, absolute; `env` is all that the agent would see.
    """

    profile: str
    model: str
    prompt: str
    cwd: str
    env: Mapping[str, str]


class Agent(Protocol):
    """Answers one question."""

    async def ask(self, question: Question, sink: Sink) -> int:
        """Answers; `sink` gets the answer as it comes. Gives an exit code: not 0 is a failure.

        A call that is cancelled ends the agent: so it is when time is up, or the run is to end.

        Raises:
            OSError: it cannot be asked.
        """
