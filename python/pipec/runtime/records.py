"""The folder of records, `.pipec/runs`: one folder a run, names that sort by time."""

import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Any

from pipec.runtime.record import RunRecord, timestamp, to_json
from pipec.runtime.summary import render_summary

STATE_FOLDER = ".pipec"
EXECUTION = "execution.json"
SUMMARY = "summary.md"
JOURNAL = "journal.jsonl"
LOGS = "logs"
CRASHED = "crashed"
"""Why a run ended whose process was killed."""


def runs_folder(root: str) -> str:
    """Where the records of a project are."""
    return f"{root}/{STATE_FOLDER}/runs"


def run_folder(root: str, run_id: str) -> str:
    """Where one record is."""
    return f"{runs_folder(root)}/{run_id}"


def new_run_id(now_ms: int) -> str:
    """An id that sorts by time and that no other run has."""
    seconds, milliseconds = divmod(now_ms, 1000)
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(seconds))
    return f"{stamp}.{milliseconds:03d}-{os.urandom(4).hex()}"


def list_runs(root: str) -> list[str]:
    """The ids of all records, oldest first."""
    try:
        return sorted(entry.name for entry in os.scandir(runs_folder(root)) if entry.is_dir())
    except OSError:
        return []


def read_record(root: str, run_id: str) -> dict[str, Any] | None:
    """A record as it lies; None if it is no JSON. What is in it may be anything."""
    try:
        with open(f"{run_folder(root, run_id)}/{EXECUTION}", "rb") as file:
            record = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def create_folder(root: str, run_id: str) -> str:
    """Makes the folder of a new record.

    Raises:
        OSError: the folder cannot be made.
    """
    folder = run_folder(root, run_id)
    os.makedirs(f"{folder}/{LOGS}", exist_ok=True)
    return folder


def write_record(folder: str, record: RunRecord) -> None:
    """Puts `execution.json` in place, whole.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    _write(f"{folder}/{EXECUTION}", json.dumps(to_json(record), ensure_ascii=False))


def write_summary(folder: str, record: RunRecord) -> None:
    """Puts `summary.md` in place.

    Raises:
        OSError: it cannot be written.
    """
    _write(f"{folder}/{SUMMARY}", render_summary(record))


def repair(root: str, run_id: str) -> None:
    """Closes the record of a run whose process is gone. The caller holds the run lock.

    Raises:
        OSError: the record cannot be written.
    """
    record = crashed_record(root, run_id)
    if record is not None:
        _write(f"{run_folder(root, run_id)}/{EXECUTION}", json.dumps(record, ensure_ascii=False))


def crashed_record(root: str, run_id: str) -> dict[str, Any] | None:
    """What the record of a run comes to whose process is gone; None if it was closed."""
    # After a crash only: reading with care takes modules that a run with nothing to do needs not.
    from pipec.runtime.evidence.reading import read_plain
    from pipec.runtime.logs import log_name

    record = read_plain(root, run_id)
    if record is None or record["status"] != "running":
        return None
    folder = run_folder(root, run_id)
    events = _events_in(f"{folder}/{JOURNAL}")
    told: dict[str, dict[str, Any]] = {}
    for event in events:
        # What it cannot have been tells nothing.
        with contextlib.suppress(ValueError, RecursionError):
            told.update(_task_in_event(event))
    counts = dict.fromkeys(record["counts"], 0)
    for task in record["tasks"]:
        # The journal is never behind; the record is written once a second.
        task.update(told.get(task["id"], {}))
        if task["status"] == "running":
            task.update(status="cancelled", reason=CRASHED)
            log = f"{LOGS}/{log_name(task['id'])}"
            if os.path.exists(f"{folder}/{log}"):
                task["log"] = log
        elif task["status"] == "waiting":
            task.update(status="skipped", reason=CRASHED)
        counts[task["status"]] += 1
    times = (event["at_ms"] for event in events if type(event.get("at_ms")) is int)
    # As far as anybody knows it ended when it was last heard of.
    last_ms = max(times, default=None)
    record.update(status="interrupted", reason=CRASHED, counts=counts)
    record["finished_at"] = record["started_at"] if last_ms is None else timestamp(last_ms)
    return record


def prune(root: str, *, keep: int) -> int:
    """Removes the oldest records beyond `keep` (0: none), and gives how many that were."""
    if not keep:
        return 0
    doomed = list_runs(root)[:-keep]
    for run_id in doomed:
        _remove_tree(run_folder(root, run_id))
    return len(doomed)


def _events_in(path: str) -> list[dict[str, Any]]:
    """What the journal tells, as far as it can be read."""
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    events = []
    for line in lines:
        # The crash may have cut off the last one.
        with contextlib.suppress(ValueError, RecursionError):
            events.append(json.loads(line))
    return [event for event in events if isinstance(event, dict)]


def _task_in_event(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    from pipec.runtime.events import TaskFinished, TaskSkipped, TaskStarted, event_kind
    from pipec.runtime.evidence.typed import value_of

    kind = event.get("event")
    if kind == event_kind(TaskStarted):
        started = value_of(TaskStarted, event)
        return {started.task: {"status": "running", "started_at": timestamp(started.at_ms)}}
    if kind in (event_kind(TaskFinished), event_kind(TaskSkipped)):
        task = value_of(TaskFinished, event).task
        return {task.id: to_json(task)}
    return {}


def _write(path: str, text: str) -> None:
    unfinished = f"{path}.tmp"
    with open(unfinished, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
        file.write("\n")
    os.replace(unfinished, path)


def _remove_tree(folder: str) -> None:
    # Not shutil: it loads four compression libraries, and a run with nothing to do gets here.
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            _try(os.unlink, f"{parent}/{name}")
        for name in folders:
            _try(os.rmdir, f"{parent}/{name}")
    _try(os.rmdir, folder)


def _try(remove: Callable[[str], None], path: str) -> None:
    with contextlib.suppress(OSError):
        remove(path)
