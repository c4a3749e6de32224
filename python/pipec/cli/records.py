"""Finds the record that a command line names: a run's id, the beginning of one, or `latest`."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from pipec.cli.documents import ListedRun
from pipec.codes import Code
from pipec.errors import PlanError
from pipec.frontend.suggest import did_you_mean
from pipec.runtime.evidence.reading import newest_runs, read_plain, run_record
from pipec.runtime.evidence.typed import value_of
from pipec.runtime.lock import active_holder
from pipec.runtime.record import TaskRecord, VerdictRecord
from pipec.runtime.records import crashed_record, list_runs, read_record
from pipec.runtime.summary import describe_verdict
from pipec.runtime.visible import visible


def find_record(root: str, name: str) -> dict[str, Any]:
    """The record of a run as plain data, with every member that a record has.

    Raises:
        PlanError: no record, or more than one, goes by this name, or it cannot be understood.
    """
    if name == "latest":
        newest = next(newest_runs(root), None)
        if newest is None:
            raise PlanError(
                Code.UNKNOWN_RUN,
                "no run is recorded in this project",
                help=("`pipec run JOB` leaves a record",),
            )
        return _closed(root, newest)
    ids = list_runs(root)
    matches = [name] if name in ids else [run for run in ids if run.startswith(name)]
    if len(matches) > 1:
        raise PlanError(
            Code.UNKNOWN_RUN,
            f"{len(matches)} runs begin with `{name}`",
            help=(f"the newest of them is `{matches[-1]}`",),
        )
    if not matches:
        raise PlanError(
            Code.UNKNOWN_RUN,
            f"no run `{name}` is recorded in this project",
            help=did_you_mean(name, ids) or ("`pipec runs ls` shows every run",),
        )
    record = read_plain(root, matches[0])
    if record is None:
        raise PlanError(
            Code.UNKNOWN_RUN,
            f"the record of run `{matches[0]}` is damaged",
            help=("`pipec runs ls` shows those that can be read",),
        )
    return _closed(root, record)


def _closed(root: str, record: dict[str, Any]) -> dict[str, Any]:
    """The record, closed if nobody is left to close it because its process was killed."""
    if record["status"] == "running":
        holder = active_holder(root)
        if holder is None or holder.run_id != record["run_id"]:
            return crashed_record(root, record["run_id"]) or record
    return record


def list_records(root: str, *, limit: int | None = None) -> tuple[ListedRun, ...]:
    """The recorded runs in a few words, the newest first. What cannot be read is left out."""
    holder = active_holder(root)
    active = holder.run_id if holder else ""
    listed = (_describe(root, run_id, active=active) for run_id in reversed(list_runs(root)))
    return tuple(islice((run for run in listed if run is not None), limit))


def _describe(root: str, run_id: str, *, active: str) -> ListedRun | None:
    data = read_record(root, run_id)
    if data is None or not isinstance(tasks := data.get("tasks"), list):
        return None
    try:
        # The tasks are not looked at: there may be thousands in each of many runs.
        record = run_record({**data, "tasks": []})
    except ValueError:
        return None
    # Nobody is left to close the record of a run whose process was killed.
    is_crashed = record.status == "running" and run_id != active
    return ListedRun(
        id=run_id,
        status="interrupted" if is_crashed else record.status,
        started_at=record.started_at,
        targets=record.request.targets,
        tasks=len(tasks),
        duration_ms=record.duration_ms,
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
    records = newest_runs(root) if named is None else [named]
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
    verdict = value_of(VerdictRecord, data)
    assert isinstance(verdict, VerdictRecord)
    return verdict
