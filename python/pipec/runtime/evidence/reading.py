"""Reads records back as what they were written from: of what anybody may have damaged since."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipec.runtime.evidence.typed import value_of
from pipec.runtime.record import RunRecord, TaskRecord, to_json
from pipec.runtime.records import list_runs, read_record


def read_run(root: str, run_id: str) -> RunRecord | None:
    """The record of a run; None if there is none that can be read."""
    data = read_record(root, run_id)
    if data is None:
        return None
    try:
        record = run_record(data)
    except ValueError:
        return None
    return record if record.run_id == run_id else None


def read_plain(root: str, run_id: str) -> dict[str, Any] | None:
    """The same as plain data, whole: every member is there that a record has."""
    record = read_run(root, run_id)
    return None if record is None else to_json(record)


def newest_runs(root: str) -> Iterator[dict[str, Any]]:
    """Every record that can be read as plain data, newest first."""
    for run_id in reversed(list_runs(root)):
        record = read_plain(root, run_id)
        if record is not None:
            yield record


def run_record(data: Mapping[str, Any]) -> RunRecord:
    """A record from the JSON of `execution.json`. Members that are not known are left out.

    Raises:
        ValueError: it is no record.
    """
    record = value_of(RunRecord, data)
    assert isinstance(record, RunRecord)
    if len({task.id for task in record.tasks}) != len(record.tasks):
        raise ValueError("a task is there twice")
    if not all(map(_has_log_of_its_own, record.tasks)):
        raise ValueError("a log lies outside of the record")
    return record


def _has_log_of_its_own(task: TaskRecord) -> bool:
    parts = [] if task.log is None else task.log.split("/")
    return not {"", "..", "\0"} & {*parts, *("\0" for part in parts if "\0" in part)}
