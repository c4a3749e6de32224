"""A plan as a picture: a tree of text, JSON, or the language of Graphviz."""

from dataclasses import dataclass
from typing import Literal

from pipec import _core
from pipec.ir.codec import encode
from pipec.ir.pipeline import Pipeline
from pipec.plan.select import Plan


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
    return _draw(pipeline, plan, "text")


def render_dot(pipeline: Pipeline, plan: Plan) -> str:
    """The graph for Graphviz: an arrow leads from a task to what waits for it."""
    return _draw(pipeline, plan, "dot")


def _draw(pipeline: Pipeline, plan: Plan, format: Literal["text", "dot"]) -> str:  # noqa: A002
    """The core draws: its front door does it too, without Python."""
    return _core.draw(
        encode(pipeline),
        format,
        jobs=list(plan.jobs),
        targets=list(plan.targets),
        tasks=list(plan.tasks),
    )
