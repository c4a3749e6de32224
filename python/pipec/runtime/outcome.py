"""Records of tasks that end without running a step, the same on every path."""

from collections.abc import Iterable

from pipec.runtime.decision import Decision
from pipec.runtime.record import TaskRecord, TaskStatus, VerdictRecord, timestamp

GROUP = VerdictRecord(kind="group")
NOT_NEEDED = "not needed: no task that depends on it had to run"
"""Why a service was not started."""


def cached_record(
    task: str, decision: Decision, *, started_ms: int, duration_ms: int
) -> TaskRecord:
    """A hit whose outputs are in place."""
    return TaskRecord(
        id=task,
        status="cached",
        verdict=decision.verdict,
        key=decision.key,
        started_at=timestamp(started_ms),
        duration_ms=duration_ms,
        outputs=decision.outputs,
        origin=decision.origin,
        metadata=decision.metadata,
    )


def group_record(task: str, needs: Iterable[TaskStatus], *, started_ms: int) -> TaskRecord:
    """A task without steps: cached when all that it stands for is."""
    statuses = set(needs)
    return TaskRecord(
        id=task,
        status="cached" if statuses == {"cached"} else "passed",
        verdict=GROUP,
        started_at=timestamp(started_ms),
        duration_ms=0,
    )


def skipped_record(task: str, reason: str) -> TaskRecord:
    """A task that does not run in this run."""
    return TaskRecord(id=task, status="skipped", reason=reason)


def platform_reason(platforms: Iterable[str]) -> str:
    """Why a task is not for this operating system."""
    return f"platform: only on {', '.join(platforms)}"
