"""What was said between a task and its agents: kept with the record as it comes, in JSON lines."""

import codecs
import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipec.ir.task import TaskId
from pipec.ports.executor import Exit
from pipec.runtime.agents import AgentCall
from pipec.runtime.context import RunContext
from pipec.runtime.logs import log_name
from pipec.runtime.record import ErrorRecord, timestamp, to_json

AGENTS = "agents"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequest:
    """What an agent is asked. `step` is the number of the step in its task, from 1; without a
    `model` the choice is the agent's.
    """

    at: str
    attempt: int
    step: int
    agent: str
    prompt: str
    model: str | None = None
    kind: Literal["request"] = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOutput:
    """Text that the agent printed, cut anywhere."""

    at: str
    stream: Literal["stdout", "stderr"]
    text: str
    kind: Literal["output"] = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentResponse:
    """How the agent ended. `bytes_left_out`: of its output, beyond what a log may have."""

    at: str
    exit_code: int
    duration_ms: int
    timed_out: bool
    error: str | None = None
    bytes_left_out: int | None = None
    kind: Literal["response"] = "response"


def transcript_name(task: str) -> str:
    """Where a task's transcript lies in the record: another file for every id."""
    return f"{AGENTS}/{log_name(task).removesuffix('.log')}.jsonl"


class Transcript:
    """The transcript of a task: one `request`, the `output` as it comes, one `response` each time.

    Without secrets, and no longer than a log may be: what is beyond that is only counted. One that
    cannot be written stays as it is; the log has the same.
    """

    def __init__(self, run: RunContext, task: TaskId) -> None:
        self._run = run
        self._path = os.path.join(run.recorder.folder, transcript_name(task))
        self._room = run.request.max_log_bytes or None
        self._left_out = 0

    def ask(self, call: AgentCall, *, attempt: int, step: int) -> None:
        """The question."""
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
        request = AgentRequest(
            at=self._now(),
            attempt=attempt,
            step=step,
            agent=call.profile,
            model=call.model or None,
            prompt=self._run.redaction.text(call.prompt.decode("utf-8", "replace")),
        )
        self._write(request)

    def listener(self, stream: Literal["stdout", "stderr"]) -> Callable[[bytes], None]:
        """Takes what the agent prints on one of its streams."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")

        def take(data: bytes) -> None:
            if self._room is not None and len(data) > self._room:
                self._left_out += len(data) - self._room
                data = data[: self._room]
            if self._room is not None:
                self._room -= len(data)
            text = decoder.decode(data)
            if text:
                self._write(AgentOutput(at=self._now(), stream=stream, text=text))

        return take

    def close(self, ended: Exit, error: ErrorRecord | None) -> None:
        """How it ended."""
        response = AgentResponse(
            at=self._now(),
            exit_code=ended.code,
            duration_ms=ended.duration_ms,
            timed_out=ended.timed_out,
            error=None if error is None else error.message,
            bytes_left_out=self._left_out or None,
        )
        self._write(response)

    def _now(self) -> str:
        return timestamp(self._run.recorder.clock.now_ms())

    def _write(self, line: AgentRequest | AgentOutput | AgentResponse) -> None:
        text = json.dumps(to_json(line), ensure_ascii=False) + "\n"
        with contextlib.suppress(OSError), open(self._path, "ab") as file:
            file.write(text.encode("utf-8", "replace"))
