"""Names of jobs and tasks, for a shell that completes a word.

The core's front door gives the same names where a line takes no more than names.
"""

from collections.abc import Iterator

from typer._click.core import Context

from pipec.errors import PipecError
from pipec.ir.pipeline import Pipeline


def complete_jobs_and_tasks(context: Context, incomplete: str) -> list[tuple[str, str]]:
    """Each job and task whose name begins so, with what it is for."""
    pipeline = _pipeline(context)
    return [] if pipeline is None else list(_beginning(incomplete, _jobs_and_tasks(pipeline)))


def complete_tasks(context: Context, incomplete: str) -> list[tuple[str, str]]:
    """Each task whose name begins so, with what it is for."""
    pipeline = _pipeline(context)
    return [] if pipeline is None else list(_beginning(incomplete, _tasks(pipeline)))


def _pipeline(context: Context) -> Pipeline | None:
    """None where there is no pipeline, or a broken one: a shell that completes is told nothing."""
    try:
        pipeline: Pipeline = context.obj.load()[1]
    except PipecError:
        return None
    return pipeline


def _jobs_and_tasks(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    for job in pipeline.jobs.values():
        yield job.id, job.description
    for task, description in _tasks(pipeline):
        if task not in pipeline.jobs:
            yield task, description


def _tasks(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    for task in pipeline.tasks.values():
        yield task.id, task.description


def _beginning(start: str, names: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((name, what) for name, what in names if name.startswith(start))
