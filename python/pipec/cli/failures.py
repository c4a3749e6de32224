"""What failed in a run, each task with its context: for `explain --run` and `pipec mcp`."""

from typing import Any

from pipec.cli.documents import ExplainDocument
from pipec.cli.exports import typed_record
from pipec.cli.records import find_record, task_in
from pipec.runtime.evidence.context_pack import read_packs


def explain_run(root: str, run: str, task: str | None = None) -> ExplainDocument:
    """What failed in a run, or only one task of it.

    Raises:
        PlanError: there is no such run, or the task took no part in it.
        RunError: the record cannot be understood.
    """
    data = find_record(root, run)
    if task is not None:
        task_in(data, task)
    record = typed_record(data)
    packs: list[Any] = [
        pack for pack in read_packs(root, record) if task is None or pack["task"] == task
    ]
    return ExplainDocument(
        run_id=record.run_id,
        pipeline=record.pipeline,
        status=record.status,
        started_at=record.started_at,
        finished_at=record.finished_at,
        targets=record.request.targets,
        reason=record.reason,
        # They are printed as they lie in the record.
        failed=tuple(packs),
    )
