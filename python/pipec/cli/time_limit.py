"""How long a run may take: what its jobs say, and what the command line says."""

from pipec.cli.options import UsageError
from pipec.ir.pipeline import Pipeline
from pipec.plan.select import Plan


def time_limit_of(pipeline: Pipeline, plan: Plan, text: str) -> tuple[int | None, str]:
    """The shortest limit in milliseconds, or None, and who says so.

    Jobs that run together have the sum of their timeouts, as long as each has one and no task was
    asked for beside them: one after the other each of them could take its own.

    Raises:
        UsageError: the text is no duration.
    """
    of_jobs = _limit_of_jobs(pipeline, plan)
    given = _parse(text) if text else None
    if given is not None and (of_jobs is None or given <= of_jobs):
        return given, "the run"
    names = " and ".join(f"`{job}`" for job in plan.jobs)
    return of_jobs, f"the job {names}" if len(plan.jobs) == 1 else f"the jobs {names}"


def _limit_of_jobs(pipeline: Pipeline, plan: Plan) -> int | None:
    jobs = [pipeline.jobs[job] for job in plan.jobs]
    limits = [job.timeout_ms for job in jobs if job.timeout_ms is not None]
    is_of_jobs_alone = all(name in plan.jobs for name in plan.asked)
    return sum(limits) if limits and len(limits) == len(jobs) and is_of_jobs_alone else None


def _parse(text: str) -> int:
    # Not at the top: the models of the pipeline file are not needed for anything else.
    from pydantic_core import PydanticCustomError

    from pipec.spec.scalars import parse_duration

    try:
        return parse_duration(text)
    except PydanticCustomError:
        raise UsageError(
            f"`{text}` is no value for `--timeout`",
            help=("write a duration such as `90s`, `10m` or `1h30m`",),
        ) from None
