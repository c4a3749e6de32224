"""Jobs of the pipeline as jobs of GitHub."""

from collections.abc import Sequence
from itertools import chain

from pipec.backends.github.expression import (
    All,
    Call,
    Equal,
    Expression,
    Name,
    Not,
    Template,
    Text,
    evaluated,
)
from pipec.backends.github.guard import checkout, guard
from pipec.backends.github.install import install_steps
from pipec.backends.github.model import CacheMode, Concurrency, Environment, Job, Permission, Step
from pipec.backends.github.pages import upload
from pipec.backends.github.parameters import input_env
from pipec.backends.github.secrets import needed_by
from pipec.backends.github.setup.providers import setup_steps
from pipec.backends.github.subject import PLAN_JOB, Subject
from pipec.backends.github.task_cache import CHECK_STEP, RUN_STEP, TRUSTED_EVENTS, TaskCache
from pipec.ir.commands import ENVIRONMENT_VARIABLE
from pipec.ir.job import Job as PipelineJob

_SAVING_EVENTS = frozenset({*TRUSTED_EVENTS, "pull_request", "merge_group"})
"""Events whose runs have a cache of their own branch: what they keep, no other branch reads."""


def lower_job(subject: Subject, job: PipelineJob, *, cache: TaskCache | None) -> Job:
    """A job that runs one job of the pipeline."""
    caches = not subject.publishes(job)
    kept = cache if caches else None
    concurrency = None
    if job.github.concurrency:
        concurrency = Concurrency(
            group=Template(job.github.concurrency),
            cancel_in_progress=job.github.cancel_in_progress,
        )
    steps = _frame(
        subject,
        cache=kept,
        events=[clause.event for clause in subject.clauses[job.id]],
        caches=caches,
        run=_run_step(f"Run {job.id}", f"pipec github run --job {job.id}", subject, [job]),
    )
    if job.github.pages is not None:
        steps = (*steps, upload(subject.place.path(job.github.pages.path)))
    is_matrix = bool(job.github.runs_on_matrix)
    return Job(
        id=job.id,
        name=_matrix_name(job) if is_matrix else job.id,
        condition=_condition(subject, job),
        needs=_needs(subject, job),
        runs_on=subject.runs_on(job),
        runner_matrix=job.github.runs_on_matrix,
        permissions=permissions_of(subject, [job]),
        environment=_environment(job),
        concurrency=concurrency,
        timeout_minutes=subject.timeout_minutes(job),
        cache_mode=_cache_mode(subject, steps),
        steps=steps,
    )


def dispatcher(subject: Subject, *, cache: TaskCache | None) -> Job:
    """The one job that runs whatever the event asks for."""
    jobs = list(subject.pipeline.jobs.values())
    caches = not any(map(subject.publishes, jobs))
    clauses = list(chain.from_iterable(subject.clauses.values()))
    name = subject.sync.gate or "pipec"
    steps = _frame(
        subject,
        cache=cache if caches else None,
        events=[clause.event for clause in clauses],
        caches=caches,
        run=_run_step("Run what the event asks for", "pipec github run", subject, jobs),
        whole_history=any(clause.paths for clause in clauses),
    )
    return Job(
        id=name,
        name=name,
        runs_on=subject.sync.runs_on,
        permissions=permissions_of(subject, jobs),
        timeout_minutes=sum(map(subject.timeout_minutes, jobs)),
        cache_mode=_cache_mode(subject, steps),
        steps=steps,
    )


def planner(subject: Subject) -> Job:
    """The job that evaluates the triggers that expressions of GitHub cannot say."""
    plan = Step(
        name="Find out which jobs the event starts",
        id="plan",
        run='pipec github plan --format outputs >>"$GITHUB_OUTPUT"',
    )
    toolchains = setup_steps(subject.setup, cached=()) if subject.sync.install.commands else ()
    steps = (
        checkout(whole_history=True),
        _guard(subject),
        *install_steps(subject.sync.install, toolchains, check=_check()),
        plan,
    )
    return Job(
        id=PLAN_JOB,
        name=PLAN_JOB,
        runs_on=subject.sync.runs_on,
        permissions=permissions_of(subject, []),
        timeout_minutes=10,
        cache_mode=_cache_mode(subject, steps),
        outputs={
            job: evaluated(Name(f"steps.plan.outputs.{job}")) for job in sorted(subject.planned)
        },
        steps=steps,
    )


def permissions_of(subject: Subject, jobs: Sequence[PipelineJob]) -> tuple[Permission, ...]:
    """What the token may do for these jobs, with reasons."""
    granted = {"contents": Permission(scope="contents", level="read", reason=_CHECKOUT)}
    for job in jobs:
        for scope, level in subject.permissions(job).items():
            is_more = scope not in granted or (level, granted[scope].level) == ("write", "read")
            if is_more:
                granted[scope] = Permission(scope=scope, level=level, reason=_reason(job, scope))
    return tuple(granted[scope] for scope in sorted(granted))


_CHECKOUT = "to check out the repository"


def _reason(job: PipelineJob, scope: str) -> str:
    if scope == "id-token" and scope not in job.github.permissions:
        return f"{job.id} requires provenance: a token that proves who built"
    return f"{job.id} asks for it"


def _frame(
    subject: Subject,
    *,
    cache: TaskCache | None,
    events: Sequence[str],
    caches: bool,
    run: Step,
    whole_history: bool = False,
) -> tuple[Step, ...]:
    """The steps of a job around the one that does the work."""
    steps = [
        checkout(whole_history=whole_history),
        _guard(subject),
        *install_steps(
            subject.sync.install,
            setup_steps(subject.setup, cached=subject.cached_setup if caches else ()),
            check=_check(),
        ),
    ]
    if cache is not None:
        steps.append(cache.restore(events))
    steps.append(run)
    if cache is not None and _SAVING_EVENTS.issuperset(events):
        steps.append(cache.save(events))
    return tuple(steps)


def _guard(subject: Subject) -> Step:
    sync = subject.sync
    return guard(workflow=sync.workflow, lock=sync.lock, folder=subject.place.folder)


def _check() -> Step:
    return Step(
        name="Check that the workflow is what the pipeline asks for",
        id=CHECK_STEP,
        run="pipec github check --format github",
    )


def _run_step(name: str, command: str, subject: Subject, jobs: Sequence[PipelineJob]) -> Step:
    needed = needed_by(jobs, subject.pipeline)
    inputs = input_env(jobs, subject.manual_jobs)
    # One job that stands for several is in no environment: then there is none to name.
    places = [Template(job.environment.name) for job in jobs if job.environment is not None]
    place = {ENVIRONMENT_VARIABLE: places[0]} if len(jobs) == len(places) == 1 else {}
    return Step(name=name, id=RUN_STEP, env={**place, **inputs, **needed.env()}, run=command)


def _cache_mode(subject: Subject, steps: Sequence[Step]) -> CacheMode:
    """What the job may do with GitHub's caches: what its steps do, and no more."""
    if subject.sync.profile == "conservative":
        return ""
    used = {step.uses.path for step in steps if step.uses and step.uses.path}
    if "save" in used or _keeps_downloads(steps):
        return "write"
    return "read" if "restore" in used else "none"


def _keeps_downloads(steps: Sequence[Step]) -> bool:
    keys = ("cache", "enable-cache")
    return any(step.inputs.get(key) not in (None, False) for step in steps for key in keys) or any(
        step.inputs.get("no-cache") is False for step in steps
    )


def _condition(subject: Subject, job: PipelineJob) -> Expression | None:
    if job.id in subject.conditions:
        condition = subject.conditions[job.id]
    else:
        condition = Equal(Name(f"needs.{PLAN_JOB}.outputs.{job.id}"), Text("true"))
    if not job.needs:
        return condition
    # A job that the event did not start is skipped, and nobody has to wait for it.
    alive: tuple[Expression, ...] = (Not(Call("cancelled")), Not(Call("failure")))
    if condition is None:
        return All(alive)
    parts = condition.parts if isinstance(condition, All) else (condition,)
    return All((*alive, *parts))


def _environment(job: PipelineJob) -> Environment | None:
    """The author's words, with their expressions: the address may be an output of a step."""
    if job.environment is None:
        return None
    url = job.environment.url
    return Environment(name=Template(job.environment.name), url=Template(url) if url else "")


def _needs(subject: Subject, job: PipelineJob) -> tuple[str, ...]:
    plan = () if job.id in subject.conditions else (PLAN_JOB,)
    return (*plan, *job.needs)


def _matrix_name(job: PipelineJob) -> Template:
    is_flat = all(len(labels) == 1 for labels in job.github.runs_on_matrix)
    runner = "matrix.runner" if is_flat else "join(matrix.runner, ', ')"
    return Template(f"{job.id} (${{{{ {runner} }}}})")
