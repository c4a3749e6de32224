"""What is added to the record of a run after its end, whoever ran it: graph and context packs."""

import contextlib

from pipec.errors import RunError
from pipec.ir.task import TaskId
from pipec.runtime.assess import Assessment, foreseeable_values
from pipec.runtime.evidence.context_pack import write_packs
from pipec.runtime.evidence.graph import write_graph
from pipec.runtime.evidence.input_diff import InputDiff, look_at_inputs, recorded_diff
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.records import run_folder


def keep_evidence(assessment: Assessment, record: RunRecord) -> None:
    """Adds graph and context packs to the record of a run that has just ended.

    What cannot be written is left out: the run is over, and its exit status is known.
    """
    request = assessment.request
    with contextlib.suppress(OSError):
        write_graph(run_folder(request.root, record.run_id), request.pipeline, request.plan)
    if record.counts.failed:
        keep_context_packs(assessment, record)


def keep_context_packs(assessment: Assessment, record: RunRecord) -> None:
    """Adds the context of each failed task to the record of a run."""
    write_packs(
        assessment.request.root,
        record,
        pipeline=assessment.request.pipeline,
        redaction=assessment.redaction,
        find_diff=lambda task: _diff(assessment, task),
    )


def _diff(assessment: Assessment, task: TaskRecord) -> InputDiff | None:
    """All that is different, if the inputs are still those of the run; else what the run noted."""
    noted = recorded_diff(task)
    node = assessment.request.pipeline.tasks.get(TaskId(task.id))
    if noted is None or node is None or task.key is None:
        return noted
    try:
        extras = foreseeable_values(assessment.request, node, assessment.file_values)
        if extras is None:
            return noted
        key, diff = look_at_inputs(assessment.engine, task.id, extras)
    except (OSError, ValueError, RunError):
        return noted
    return diff if key == task.key else noted
