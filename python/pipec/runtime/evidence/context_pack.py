"""Context packs: for each failed task what a person or a program needs to go on from there."""

import contextlib
import json
import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipec.ir.pipeline import Pipeline
from pipec.plan.select import base_name
from pipec.runtime.evidence.claims import claims_at_stake
from pipec.runtime.evidence.input_diff import InputDiff, recorded_diff
from pipec.runtime.evidence.typed import value_of
from pipec.runtime.logs import log_name, read_tail
from pipec.runtime.record import ErrorRecord, RunRecord, TaskRecord, VerdictRecord, to_json
from pipec.runtime.records import run_folder
from pipec.runtime.redaction import Redaction

CONTEXT = "context"
SCHEMA_VERSION = 1
TAIL_BYTES = 4096
_LARGEST_LOG = 16 * 1024 * 1024

FindDiff = Callable[[TaskRecord], InputDiff | None]
"""Gives all that is different about a task's inputs, if that can still be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextPack:
    """What is known of a failed task. `context/<task>.json` in the record of its run.

    `log` is relative to the record's folder, `log_tail` its end: at most 4 KiB. `reproduce` is the
    command that runs the task again. `inputs` None: the task is not cached, so its inputs were not
    looked at. `claims`: of `tests/claims.json`, those whose tests are named in the log.
    """

    schema_version: int = SCHEMA_VERSION
    run_id: str
    task: str
    status: Literal["failed"]
    error: ErrorRecord
    attempts: int
    reproduce: str
    log_tail: str
    log_is_cut: bool
    claims: tuple[str, ...]
    exit_code: int | None = None
    command: str | None = None
    log: str | None = None
    key: str | None = None
    verdict: VerdictRecord | None = None
    inputs: InputDiff | None = None


def pack_of(
    root: str,
    record: RunRecord,
    task: TaskRecord,
    *,
    pipeline: Pipeline | None,
    find_diff: FindDiff = recorded_diff,
) -> ContextPack:
    """The pack of one failed task. `pipeline`: the one that ran, if it is known."""
    folder = run_folder(root, record.run_id)
    log = b"" if task.log is None else read_tail(os.path.join(folder, task.log), _LARGEST_LOG)
    tail, is_cut = _tail(log)
    last = task.attempts[-1] if task.attempts else None
    return ContextPack(
        run_id=record.run_id,
        task=task.id,
        status="failed",
        error=task.error or ErrorRecord(code="", message="the task failed"),
        attempts=len(task.attempts),
        exit_code=last.exit_code if last else None,
        command=last.steps[-1].command if last and last.steps else None,
        reproduce=reproduce_command(record, task.id, pipeline),
        log=task.log,
        log_tail=tail,
        log_is_cut=is_cut,
        key=task.key,
        verdict=task.verdict,
        inputs=find_diff(task),
        claims=claims_at_stake(root, log.decode("utf-8", "replace")),
    )


def write_packs(
    root: str,
    record: RunRecord,
    *,
    pipeline: Pipeline | None,
    redaction: Redaction,
    find_diff: FindDiff = recorded_diff,
) -> None:
    """Writes the pack of every failed task of a run into its record, without secrets.

    What cannot be written is left out: it must not hide why the task failed.
    """
    folder = run_folder(root, record.run_id)
    for task in failed_tasks(record):
        pack = pack_of(root, record, task, pipeline=pipeline, find_diff=find_diff)
        path = os.path.join(folder, pack_name(task.id))
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            text = json.dumps(without_secrets(to_json(pack), redaction), ensure_ascii=False)
            with open(f"{path}.tmp", "w", encoding="utf-8", errors="replace") as file:
                file.write(text + "\n")
            os.replace(f"{path}.tmp", path)


def read_packs(root: str, record: RunRecord) -> list[dict[str, Any]]:
    """The packs of a run; one that was not written is made from what the record says."""
    return [_read_pack(root, record, task) for task in failed_tasks(record)]


def failed_tasks(record: RunRecord) -> Iterable[TaskRecord]:
    """The tasks of a run that failed, in its order."""
    return (task for task in record.tasks if task.status == "failed")


def pack_name(task: str) -> str:
    """Where a task's pack lies in the record: another file for every id."""
    return f"{CONTEXT}/{log_name(task).removesuffix('.log')}.json"


def reproduce_command(record: RunRecord, task: str, pipeline: Pipeline | None) -> str:
    """The command line that runs the task again, in the environment that it had.

    A task that had the environment or the parameters of a job needs the job. Arguments are given
    again to a task that had some.
    """
    jobs = {} if pipeline is None else {str(job.id): job for job in pipeline.jobs.values()}
    asked = record.request.targets
    has_env = any(jobs[target].env for target in asked if target in jobs)
    arguments = record.request.arguments or ()
    named = {*asked, *(str(of) for name in asked if name in jobs for of in jobs[name].targets)}
    behind = ["--", *arguments] if arguments and named & {task, base_name(task)} else []
    if not has_env and not record.request.params:
        return shlex.join(["pipec", "run-task", task, *behind])
    words = ["pipec", "run", *asked]
    params = {
        name: param
        for target in asked
        if target in jobs
        for name, param in jobs[target].params.items()
    }
    for name, value in record.request.params.items():
        if name not in params or params[name].default != value:
            words += ["--param", f"{name}={value}"]
    return shlex.join(words + behind)


def without_secrets(data: Any, redaction: Redaction) -> Any:
    """Plain data, each text of it redacted; names of members are ours."""
    if isinstance(data, str):
        return redaction.text(data)
    if isinstance(data, Mapping):
        return {name: without_secrets(member, redaction) for name, member in data.items()}
    if isinstance(data, list):
        return [without_secrets(item, redaction) for item in data]
    return data


def _read_pack(root: str, record: RunRecord, task: TaskRecord) -> dict[str, Any]:
    path = os.path.join(run_folder(root, record.run_id), pack_name(task.id))
    pack = None
    with contextlib.suppress(OSError, ValueError, RecursionError), open(path, "rb") as file:
        pack = value_of(ContextPack, json.load(file))
    if pack is None or (pack.schema_version, pack.task) != (SCHEMA_VERSION, task.id):
        pack = pack_of(root, record, task, pipeline=None)
    plain = to_json(pack)
    assert isinstance(plain, dict)
    return plain


def _tail(log: bytes) -> tuple[str, bool]:
    """The end of a log as text of at most 4 KiB, from the beginning of a line if there is one."""
    if len(log) <= TAIL_BYTES:
        text = log.decode("utf-8", "replace")
        return _fitting(text), len(text.encode("utf-8", "replace")) > TAIL_BYTES
    cut = log[-TAIL_BYTES:]
    start = cut.find(b"\n", 0, len(cut) - 1) + 1
    # In the middle of a line, it must not be the middle of a character.
    while not start and cut[:1] and 0x80 <= cut[0] < 0xC0:  # noqa: PLR2004 - continuation bytes
        cut = cut[1:]
    return _fitting(cut[start:].decode("utf-8", "replace")), True


def _fitting(text: str) -> str:
    """The end of a text that fits: bytes that are no UTF-8 become longer as characters."""
    encoded = text.encode("utf-8", "replace")
    return encoded[-TAIL_BYTES:].decode("utf-8", "ignore")
