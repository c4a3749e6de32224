"""What this version cannot run: refused before anything runs, with a word for what it is."""

from collections.abc import Iterator

from pipec.codes import Code
from pipec.errors import PipecError
from pipec.ir.task import Task
from pipec.runtime.request import RunRequest
from pipec.runtime.stores import planned, store_of


def refuse_unsupported(request: RunRequest) -> None:
    """Sees to it that nothing of the plan would run otherwise than the pipeline says.

    Raises:
        PipecError: this version does not have what the plan needs.
    """
    for what in _needed_and_missing(request):
        raise PipecError(Code.NOT_SUPPORTED, f"{what}, which this version of pipec cannot use yet")


def _needed_and_missing(request: RunRequest) -> Iterator[str]:
    pipeline = request.pipeline
    if pipeline.orchestration.get("depends"):
        yield "this pipeline depends on others with `depends`"
    for job in (pipeline.jobs[job_id] for job_id in request.plan.jobs):
        profile = pipeline.execution.get(job.execution)
        if profile is not None and profile.is_confined:
            yield f"the job `{job.id}` runs in the sandbox of its profile `{job.execution}`"
        for target in job.foreign_targets:
            yield f"the job `{job.id}` runs `{target}`, a task of a member or source"
    for task in planned(request):
        yield from _of_task(request, task)


def _of_task(request: RunRequest, task: Task) -> Iterator[str]:
    for need in task.foreign_needs:
        yield f"`{task.id}` needs `{need}`, a task of a member or source"
    if task.cache is not None:
        kind = next(iter(store_of(request, task.cache.store)))
        if kind not in ("file", "memory"):
            yield f"`{task.id}` is cached in `{task.cache.store}`, a {kind} store"
