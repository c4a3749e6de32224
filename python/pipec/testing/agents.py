"""Agents whose answers a test decides, and what every agent promises."""

import asyncio
from collections.abc import Callable, Mapping

from pipec.ports.agent import Agent, Question
from pipec.ports.executor import Sink

_LONGEST_S = 30.0


class ScriptedAgent:
    """Answers each prompt as the test says, by the prompt's whole text; `exit_code` ends each.

    With `holds` it does not answer before it is cancelled: for tests of timeouts and interrupts.
    """

    def __init__(
        self, answers: Mapping[str, str], *, exit_code: int = 0, holds: bool = False
    ) -> None:
        self.questions: list[Question] = []
        """Every question so far, in order."""
        self.cancelled = 0
        """How many questions were cancelled."""
        self._answers = dict(answers)
        self._exit_code = exit_code
        self._holds = holds

    async def ask(self, question: Question, sink: Sink) -> int:
        """Gives the answer that was decided.

        Raises:
            OSError: no answer to this prompt was decided.
        """
        self.questions.append(question)
        if question.prompt not in self._answers:
            raise OSError(f"no answer to {question.prompt!r} was decided")
        sink(self._answers[question.prompt].encode())
        if self._holds:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return self._exit_code


def check_agent(open_agent: Callable[[], Agent], question: Question) -> None:
    """Asserts that agents are what `pipec.ports.agent.Agent` says, asking one question twice.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    asyncio.run(_check(open_agent, question))


async def _check(open_agent: Callable[[], Agent], question: Question) -> None:
    said: list[bytes] = []
    code = await open_agent().ask(question, said.append)
    assert type(code) is int, f"the end of an answer is an exit code, not {code!r}"
    assert all(type(data) is bytes for data in said), f"an answer is bytes, not {said!r}"
    assert code or b"".join(said), "an agent that succeeds has answered something"
    call = asyncio.ensure_future(open_agent().ask(question, lambda _: None))
    await asyncio.sleep(0)
    call.cancel()
    done, _ = await asyncio.wait({call}, timeout=_LONGEST_S)
    assert done, "a question that is cancelled ends"
