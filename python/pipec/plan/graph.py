"""A plan as a picture: a tree of text, JSON, or the language of Graphviz."""

import json
from dataclasses import dataclass

from pipec.ir.pipeline import Pipeline
from pipec.ir.task import TaskId
from pipec.plan.select import Plan

DEEPEST = 40
"""Levels of the text tree after which a branch goes on at the left margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphJob:
    """A job and the tasks it asks for."""

    id: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphTask:
    """A task and the tasks it waits for; those of members and sources are no tasks of the graph."""

    id: str
    depends_on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Jobs and tasks of a plan, the tasks each after those it waits for."""

    schema_version: int
    jobs: tuple[GraphJob, ...]
    tasks: tuple[GraphTask, ...]


def graph_of(pipeline: Pipeline, plan: Plan) -> Graph:
    """The plan's jobs, tasks and edges."""
    return Graph(
        schema_version=1,
        jobs=tuple(
            GraphJob(id=job.id, targets=(*job.targets, *job.foreign_targets))
            for job in (pipeline.jobs[job_id] for job_id in plan.jobs)
        ),
        tasks=tuple(
            GraphTask(id=task.id, depends_on=(*task.depends_on, *task.foreign_needs))
            for task in (pipeline.tasks[task_id] for task_id in plan.tasks)
        ),
    )


def render_tree(pipeline: Pipeline, plan: Plan) -> str:
    """Jobs or targets at the margin, what each waits for below it. A branch is drawn only once."""
    drawn: set[TaskId] = set()
    lines: list[str] = []
    later: list[TaskId] = []
    in_jobs = {target for job in plan.jobs for target in pipeline.jobs[job].targets}
    for job in plan.jobs:
        lines.append(f"{job} (job)")
        _draw_children(pipeline, pipeline.jobs[job].targets, drawn, later, lines)
    for target in plan.targets:
        if target not in in_jobs:
            _draw_root(pipeline, target, drawn, later, lines)
    while later:
        _draw_root(pipeline, later.pop(0), drawn, later, lines)
    return "\n".join(lines) + "\n" if lines else ""


def _draw_root(
    pipeline: Pipeline,
    task: TaskId,
    drawn: set[TaskId],
    later: list[TaskId],
    lines: list[str],
) -> None:
    if task in drawn:
        return
    drawn.add(task)
    lines.append(task)
    _draw_children(pipeline, pipeline.tasks[task].depends_on, drawn, later, lines)


def _draw_children(
    pipeline: Pipeline,
    children: tuple[TaskId, ...],
    drawn: set[TaskId],
    later: list[TaskId],
    lines: list[str],
) -> None:
    """Draws without recursion: a chain may be longer than Python's stack."""
    waiting = _siblings(children, "")
    while waiting:
        task, indent, is_last = waiting.pop()
        needs = pipeline.tasks[task].depends_on
        mark = ""
        if needs and task in drawn:
            mark = " (above)"
        elif needs and len(indent) // 4 >= DEEPEST - 1:
            mark = " (below)"
            later.append(task)
        else:
            drawn.add(task)
            deeper = indent + ("    " if is_last else "│   ")
            waiting.extend(_siblings(needs, deeper))
        lines.append(f"{indent}{'└── ' if is_last else '├── '}{task}{mark}")


def _siblings(tasks: tuple[TaskId, ...], indent: str) -> list[tuple[TaskId, str, bool]]:
    """Task, indent, and whether it is the last of its siblings; the first one stands at the end."""
    last = len(tasks) - 1
    return [(task, indent, index == last) for index, task in enumerate(tasks)][::-1]


def render_dot(graph: Graph) -> str:
    """The graph for Graphviz: an arrow leads from a task to what waits for it."""
    lines = ["digraph pipeline {", "  rankdir=LR;", "  node [shape=box];"]
    for job in graph.jobs:
        lines.append(f"  {_quoted('job ' + job.id)} [label={_quoted(job.id)}, shape=oval];")
        lines.extend(
            f"  {_quoted(target)} -> {_quoted('job ' + job.id)};" for target in job.targets
        )
    for task in graph.tasks:
        lines.append(f"  {_quoted(task.id)};")
        lines.extend(f"  {_quoted(need)} -> {_quoted(task.id)};" for need in task.depends_on)
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
