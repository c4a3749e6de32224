"""Finds the record that a command line names: a run's id, the beginning of one, or `latest`."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from pipec.cli.documents import ListedRun
from pipec.codes import Code
from pipec.errors import PlanError
from pipec.frontend.suggest import did_you_mean
from pipec.runtime.lock import active_holder
from pipec.runtime.record import ChangeRecord, TaskRecord, VerdictRecord
from pipec.runtime.records import list_runs, newest_records, read_record
from pipec.runtime.summary import describe_verdict
from pipec.runtime.visible import visible


def find_record(root: str, name: str) -> dict[str, Any]:
    """The record of a run as plain data.

    Raises:
        PlanError: no record, or more than one, goes by this name.
    """
    if name == "latest":
        newest = next(newest_records(root), None)
        if newest is None:
            raise PlanError(Code.UNKNOWN_RUN, "no run is recorded in this project")
        return newest
    ids = list_runs(root)
    matches = [name] if name in ids else [run for run in ids if run.startswith(name)]
    if len(matches) > 1:
        raise PlanError(
            Code.UNKNOWN_RUN,
            f"{len(matches)} runs begin with `{name}`",
            help=(f"the newest of them is `{matches[-1]}`",),
        )
    record = read_record(root, matches[0]) if matches else None
    if record is None:
        raise PlanError(
            Code.UNKNOWN_RUN,
            f"no run `{name}` is recorded in this project",
            help=did_you_mean(name, ids) or ("`pipec runs ls` shows every run",),
        )
    return record


def list_records(root: str, *, limit: int | None = None) -> tuple[ListedRun, ...]:
    """The recorded runs in a few words, the newest first."""
    holder = active_holder(root)
    active = holder.run_id if holder else ""
    records = islice(newest_records(root), limit)
    return tuple(_describe(record, active=active) for record in records)


def _describe(record: Mapping[str, Any], *, active: str) -> ListedRun:
    # Nobody is left to close the record of a run whose process was killed.
    is_crashed = record["status"] == "running" and record["run_id"] != active
    return ListedRun(
        id=record["run_id"],
        status="interrupted" if is_crashed else record["status"],
        started_at=record["started_at"],
        targets=tuple(record["request"]["targets"]),
        tasks=len(record["tasks"]),
        duration_ms=record.get("duration_ms"),
    )


def task_in(record: Mapping[str, Any], task: str) -> dict[str, Any]:
    """A task as a run recorded it.

    Raises:
        PlanError: it took no part in the run.
    """
    for recorded in record["tasks"]:
        if recorded["id"] == task:
            assert isinstance(recorded, dict)
            return recorded
    names = [recorded["id"] for recorded in record["tasks"]]
    raise PlanError(
        Code.UNKNOWN_RUN,
        f"`{task}` took no part in run `{record['run_id']}`",
        help=did_you_mean(task, names) or ("`pipec runs show` names those that did",),
    )


def find_task(root: str, task: str, run: str | None) -> tuple[str, dict[str, Any]] | None:
    """The task in a run: the id of the run, and what was recorded.

    Without `run` it is the newest run in which the task took part; None if there is none.

    Raises:
        PlanError: there is no such run, or the task took no part in it.
    """
    named = None if run is None else find_record(root, run)
    records = newest_records(root) if named is None else [named]
    for record in records:
        for recorded in record["tasks"]:
            if recorded["id"] == task:
                return record["run_id"], recorded
    if named is None:
        return None
    raise PlanError(
        Code.UNKNOWN_RUN,
        f"`{task}` took no part in run `{named['run_id']}`",
        help=(f"`pipec why {task}` takes the newest run in which it did",),
    )


def outcome(task: Mapping[str, Any]) -> str:
    """What became of a recorded task and why, in a few words."""
    error = task.get("error")
    if error:
        return visible(error["message"])
    if task.get("reason"):
        return visible(task["reason"])
    verdict = read_verdict(task)
    return visible(verdict_words(verdict)) if verdict else ""


def verdict_words(verdict: VerdictRecord) -> str:
    """A verdict as every report spells it."""
    return describe_verdict(TaskRecord(id="", verdict=verdict))


def read_verdict(task: Mapping[str, Any]) -> VerdictRecord | None:
    """The verdict of a recorded task, if it came to one."""
    data = task.get("verdict")
    if data is None:
        return None
    changed = tuple(ChangeRecord(**change) for change in data.get("changed", ()))
    return VerdictRecord(**{**data, "changed": changed or None})
