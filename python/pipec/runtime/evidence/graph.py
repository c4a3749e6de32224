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
from pipec.plan.graph import graph_of
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
    needs = _snapshot(run_folder(root, record.run_id))
    if needs is None:
        pipeline = pipeline_of(root, record)
        if pipeline is None:
            return None
        needs = {str(task.id): tuple(map(str, task.depends_on)) for task in pipeline.tasks.values()}
    took_part = {task.id for task in record.tasks}
    return {
        task.id: tuple(need for need in needs.get(task.id, ()) if need in took_part)
        for task in record.tasks
    }


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
    tasks: tuple[_Node, ...]


def _snapshot(folder: str) -> dict[str, tuple[str, ...]] | None:
    with contextlib.suppress(OSError, ValueError, RecursionError):
        with open(os.path.join(folder, GRAPH), "rb") as file:
            snapshot = value_of(_Snapshot, json.load(file))
        needs = {node.id: node.depends_on for node in snapshot.tasks}
        # A cycle is no graph of a run: `CycleError` is a `ValueError`.
        TopologicalSorter(needs).prepare()
        return needs
    return None
