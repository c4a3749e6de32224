"""What is kept of commands under a policy: `commands.jsonl` in the record, a line of JSON each."""

import contextlib
import json
import os
from dataclasses import dataclass
from typing import Literal

from pipec.errors import RunError
from pipec.ir.commands import CommandPolicy
from pipec.ir.task import TaskId
from pipec.runtime.context import RunContext
from pipec.runtime.output import TaskOutput
from pipec.runtime.policy.rulings import Ruling
from pipec.runtime.record import PolicyRecord, StepRecord, timestamp, to_json

COMMANDS = "commands.jsonl"
DEFAULT_MAX_BYTES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCommand:
    """A command that ran, or that was replaced; `cwd` is relative to the pipeline's folder.

    `output` is the beginning of what it printed, and `output_left_out` how many bytes of it are
    missing there.
    """

    at: str
    task: str
    attempt: int
    command: str
    cwd: str
    action: Literal["allow", "mock"]
    exit_code: int
    duration_ms: int
    output: str
    output_left_out: int | None = None
    rules: tuple[str, ...] | None = None
    approved_by: tuple[str, ...] | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRefusal:
    """A task that was not let run: the code of the error, and its message."""

    at: str
    task: str
    code: str
    reason: str
    action: Literal["deny"] = "deny"


class OutputHead:
    """The first bytes of what a command prints."""

    def __init__(self, policy: CommandPolicy) -> None:
        limit = policy.output_max_bytes
        self._room = DEFAULT_MAX_BYTES if limit is None else limit
        self._chunks: list[bytes] = []
        self._redacts = policy.redact_secrets
        self.left_out = 0

    def tap(self, output: TaskOutput) -> TaskOutput:
        """The output, with this listening to it."""
        return output.tapped(self._take, as_it_is=not self._redacts)

    @property
    def text(self) -> str:
        """What was kept, as text."""
        return b"".join(self._chunks).decode("utf-8", "replace")

    def _take(self, data: bytes) -> None:
        kept = data[: self._room]
        self._room -= len(kept)
        self.left_out += len(data) - len(kept)
        if kept:
            self._chunks.append(kept)


def keep_command(
    run: RunContext, task: TaskId, attempt: int, step: StepRecord, *, cwd: str, head: OutputHead
) -> None:
    """Keeps a command that ran, or that was replaced."""
    policy = step.policy or PolicyRecord(action="allow")
    _write(
        run,
        KeptCommand(
            at=step.started_at,
            task=task,
            attempt=attempt,
            command=step.command,
            cwd=os.path.relpath(cwd, run.request.root),
            action=policy.action,
            rules=policy.rules,
            approved_by=policy.approved_by,
            environment=policy.environment,
            exit_code=step.exit_code,
            duration_ms=step.duration_ms,
            output=head.text,
            output_left_out=head.left_out or None,
        ),
    )


def keep_refusal(run: RunContext, task: TaskId, refusal: RunError) -> None:
    """Keeps that a task was not let run, and why."""
    if run.request.pipeline.commands.record:
        at = timestamp(run.recorder.clock.now_ms())
        reason = run.redaction.text(refusal.message)
        _write(run, KeptRefusal(at=at, task=task, code=refusal.code, reason=reason))


def policy_record(ruling: Ruling) -> PolicyRecord:
    """A ruling as the record has it."""
    return PolicyRecord(
        action="allow" if ruling.mock is None else "mock",
        rules=ruling.rules or None,
        approved_by=ruling.approved_by or None,
        environment=ruling.environment or None,
    )


def _write(run: RunContext, kept: KeptCommand | KeptRefusal) -> None:
    line = json.dumps(to_json(kept))
    # What cannot be kept must not hide how the run went.
    path = os.path.join(run.recorder.folder, COMMANDS)
    with contextlib.suppress(OSError), open(path, "a", encoding="ascii") as file:
        file.write(f"{line}\n")
