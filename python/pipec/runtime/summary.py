"""The summary of a run in Markdown."""

from pipec.runtime.durations import spell_duration
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.visible import visible

_LONG_MS = 10_000
_SEVERAL = 2
_SLOWEST = 3
_NAMED = 5
_REASONS = 3
MAY_FAIL = " (it may fail)"
"""What is said behind the reason of a failure that fails no run."""

_WORDS = {"no-baseline": "no earlier result"}


def render_summary(record: RunRecord) -> str:
    """A table of all tasks, then what failed and what was warned of."""
    lines = [
        f"# {_cell(record.pipeline)}: {', '.join(map(_cell, record.request.targets))}",
        "",
        f"Run `{record.run_id}` **{record.status}**{_after(record.duration_ms)}.",
        "",
        "| Task | Status | Why | Attempts | Duration |",
        "| --- | --- | --- | ---: | ---: |",
        *(_row(task) for task in record.tasks),
    ]
    if record.time_saved_ms:
        lines += ["", f"Time saved by the cache: {spell_duration(record.time_saved_ms)}."]
    failed = [task for task in record.tasks if task.error is not None]
    if failed:
        lines += ["", "## What went wrong", ""]
        for task in failed:
            assert task.error is not None
            end = MAY_FAIL if task.may_fail else ""
            lines.append(f"- `{task.id}`: {_cell(task.error.message)}{end}")
    if record.warnings:
        lines += ["", "## Warnings", ""]
        for warning in record.warnings:
            about = f"`{warning.task}`: " if warning.task else ""
            lines.append(f"- {about}{_cell(warning.message)}")
    return "\n".join(lines)


def describe_verdict(task: TaskRecord) -> str:
    """Why the task ran or did not, in a few words: `miss: src/app.ts changed (+3 more)`."""
    if task.reason is not None:
        return task.reason
    verdict = task.verdict
    if verdict is None:
        return ""
    if verdict.changed:
        first = verdict.changed[0]
        others = len(verdict.changed) - 1 + (verdict.more or 0)
        more = f" (+{others} more)" if others else ""
        return f"{verdict.kind}: {first.path} {first.change}{more}"
    if verdict.component == "dependencies" and verdict.detail:
        return f"{verdict.kind}: dependency {verdict.detail} changed"
    if verdict.component == "values" and verdict.detail:
        return f"{verdict.kind}: {verdict.detail} changed"
    detail = _WORDS.get(verdict.component or "", verdict.component) or verdict.detail
    return f"{verdict.kind}: {detail}" if detail else verdict.kind


def slowest(record: RunRecord) -> list[TaskRecord]:
    """The tasks to look at first if the run was too slow: at most three, the slowest first.

    None of a run that nobody had to wait for, or in which fewer than two tasks ran.
    """
    ran = [task for task in record.tasks if task.status in ("passed", "failed") and task.attempts]
    if len(ran) < _SEVERAL or (record.duration_ms or 0) < _LONG_MS:
        return []
    return sorted(ran, key=lambda task: -(task.duration_ms or 0))[:_SLOWEST]


def describe_unstarted(record: RunRecord) -> str:
    """The tasks that were never started in one line; empty if there are none.

    Up to five are named: `did not start: b, c (dependency failed: a)`. Of more the number is said,
    and the three most frequent reasons: `994 tasks did not start: interrupted`.
    """
    reasons: dict[str, list[str]] = {}
    for task in record.tasks:
        if task.status == "skipped":
            reasons.setdefault(visible(describe_verdict(task)), []).append(task.id)
    number = sum(map(len, reasons.values()))
    if number == 0:
        return ""
    if number <= _NAMED:
        parts = [f"{', '.join(ids)} ({why})" for why, ids in reasons.items()]
        return f"did not start: {'; '.join(parts)}"
    head = f"{number} tasks did not start: "
    if len(reasons) == 1:
        return head + next(iter(reasons))
    frequent = sorted(reasons.items(), key=lambda reason: -len(reason[1]))
    parts = [f"{len(ids)} {why}" for why, ids in frequent[:_REASONS]]
    others = sum(len(ids) for _, ids in frequent[_REASONS:])
    if others:
        parts.append(f"{others} for other reasons")
    return head + "; ".join(parts)


def _row(task: TaskRecord) -> str:
    duration = "" if task.duration_ms is None else spell_duration(task.duration_ms)
    why = visible(describe_verdict(task))
    cells = (task.id, task.status, why, str(len(task.attempts)), duration)
    return f"| {' | '.join(map(_cell, cells))} |"


def _after(duration_ms: int | None) -> str:
    return "" if duration_ms is None else f" after {spell_duration(duration_ms)}"


def _cell(text: str) -> str:
    return visible(text.replace("\n", " ")).replace("\\", "\\\\").replace("|", "\\|")
