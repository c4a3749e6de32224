"""What was said between a task and its agents: kept with the record as it comes, in JSON lines."""

import codecs
import contextlib
import json
import os
from collections.abc import Callable
from typing import Any

from pipec.ir.task import TaskId
from pipec.ports.executor import Exit
from pipec.runtime.agents import AgentCall
from pipec.runtime.context import RunContext
from pipec.runtime.logs import log_name
from pipec.runtime.record import ErrorRecord, timestamp

AGENTS = "agents"


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
        self._write(
            "request",
            attempt=attempt,
            step=step,
            agent=call.profile,
            model=call.model or None,
            prompt=self._run.redaction.text(call.prompt.decode("utf-8", "replace")),
        )

    def listener(self, stream: str) -> Callable[[bytes], None]:
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
                self._write("output", stream=stream, text=text)

        return take

    def close(self, ended: Exit, error: ErrorRecord | None) -> None:
        """How it ended."""
        self._write(
            "response",
            exit_code=ended.code,
            duration_ms=ended.duration_ms,
            timed_out=ended.timed_out,
            error=None if error is None else error.message,
            bytes_left_out=self._left_out or None,
        )

    def _write(self, kind: str, **facts: Any) -> None:
        at = timestamp(self._run.recorder.clock.now_ms())
        line = {name: fact for name, fact in facts.items() if fact is not None}
        text = json.dumps({"at": at, "kind": kind, **line}, ensure_ascii=False) + "\n"
        with contextlib.suppress(OSError), open(self._path, "ab") as file:
            file.write(text.encode("utf-8", "replace"))
