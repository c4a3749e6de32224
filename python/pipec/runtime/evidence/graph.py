"""What waited for what in a run: a snapshot of its graph, or the same from the pipeline it ran."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from pipec.frontend.compiled import compiled_of
from pipec.ir.codec import decode
from pipec.ir.pipeline import Pipeline
from pipec.plan.graph import GraphJob, graph_of
from pipec.plan.select import Plan
from pipec.runtime.evidence.typed import value_of
from pipec.runtime.record import RunRecord, to_json
from pipec.runtime.records import STATE_FOLDER, run_folder

GRAPH = "graph.json"


def write_graph(folder: str, pipeline: Pipeline, plan: Plan) -> None:
    """Puts `graph.json` beside a record: the plan's jobs, tasks and edges.

    Raises:
        OSError: it cannot be written.
    """
    path = os.path.join(folder, GRAPH)
    with open(f"{path}.tmp", "w", encoding="utf-8") as file:
        json.dump(to_json(graph_of(pipeline, plan)), file, ensure_ascii=False)
        file.write("\n")
    os.replace(f"{path}.tmp", path)


def needs_of(root: str, record: RunRecord) -> Mapping[str, tuple[str, ...]] | None:
    """What each task of a run waited for, among the tasks of the run; None if that is lost.

    A run in which everything was in place keeps no snapshot: the pipeline that it ran tells.
    """
    snapshot = _snapshot(run_folder(root, record.run_id))
    if snapshot is not None:
        needs = _edges(snapshot)
    else:
        pipeline = pipeline_of(root, record)
        if pipeline is None:
            return None
        needs = {str(task.id): tuple(map(str, task.depends_on)) for task in pipeline.tasks.values()}
    took_part = {task.id for task in record.tasks}
    return {
        task.id: tuple(need for need in needs.get(task.id, ()) if need in took_part)
        for task in record.tasks
    }


def jobs_of(root: str, record: RunRecord) -> tuple[GraphJob, ...]:
    """The jobs that a run was asked for, each with its targets; those of which that is lost are
    left out.
    """
    snapshot = _snapshot(run_folder(root, record.run_id))
    if snapshot is not None:
        return snapshot.jobs
    pipeline = pipeline_of(root, record)
    jobs = {} if pipeline is None else {str(job.id): job for job in pipeline.jobs.values()}
    return tuple(
        GraphJob(id=name, targets=(*jobs[name].targets, *jobs[name].foreign_targets))
        for name in record.request.targets
        if name in jobs
    )


def pipeline_of(root: str, record: RunRecord) -> Pipeline | None:
    """The very pipeline that a run ran, if its compiled form is still kept."""
    kept = compiled_of(os.path.join(root, STATE_FOLDER), record.ir_digest)
    return None if kept is None else decode(kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    id: str
    depends_on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    jobs: tuple[GraphJob, ...]
    tasks: tuple[_Node, ...]


def _edges(snapshot: _Snapshot) -> dict[str, tuple[str, ...]]:
    return {node.id: node.depends_on for node in snapshot.tasks}


def _snapshot(folder: str) -> _Snapshot | None:
    with contextlib.suppress(OSError, ValueError, RecursionError):
        with open(os.path.join(folder, GRAPH), "rb") as file:
            snapshot: _Snapshot = value_of(_Snapshot, json.load(file))
        # A cycle is no graph of a run: `CycleError` is a `ValueError`.
        TopologicalSorter(_edges(snapshot)).prepare()
        return snapshot
    return None
