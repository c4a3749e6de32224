"""Which tasks one request runs, in an order that respects every dependency."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Literal

from pipec.codes import Code
from pipec.errors import BugError, PlanError
from pipec.ir.env import EnvValue
from pipec.ir.job import Job, JobId
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import TaskId
from pipec.plan.services import with_services

Kind = Literal["any", "job", "task"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one request will do.

    `tasks` holds every task that takes part, each after those it depends on; among tasks that could
    stand at the same place, the smaller id comes first. `jobs` are the jobs asked for and `targets`
    the tasks asked for, directly or by a job, both without repetition in the order of the request.
    `asked` are the names of the request. `only`: what the targets depend on is left as it is,
    services excepted.
    """

    tasks: tuple[TaskId, ...]
    jobs: tuple[JobId, ...] = ()
    targets: tuple[TaskId, ...] = ()
    asked: tuple[str, ...] = ()
    only: bool = False


def select(
    pipeline: Pipeline,
    targets: Sequence[str],
    *,
    kind: Kind = "any",
    only: bool = False,
    filters: Sequence[str] = (),
) -> Plan:
    """The plan for these names: jobs, tasks, or the base names of tasks with a matrix.

    A name that is both a job and a task means the job, unless `kind` is "task". `only` leaves out
    what the targets depend on. `filters` choose targets among what the names would run, or among
    all tasks if there are no names.

    Raises:
        PlanError: a name or a filter means nothing here, or the jobs give the run different
            environments.
    """
    jobs: dict[JobId, Job] = {}
    wanted: dict[TaskId, None] = {}
    named: dict[TaskId, None] = {}
    for target in targets:
        job = pipeline.jobs.get(JobId(target)) if kind != "task" else None
        if job is not None:
            jobs[job.id] = job
            wanted.update(dict.fromkeys(job.targets))
        else:
            tasks = _tasks_named(pipeline, target) if kind != "job" else ()
            if not tasks:
                raise _unknown_target(pipeline, target, kind)
            named.update(dict.fromkeys(tasks))
            wanted.update(dict.fromkeys(tasks))
    _check_one_environment(pipeline, jobs.values(), named)
    chosen = tuple(wanted)
    if filters:
        # Only who filters pays for it.
        from pipec.plan.filters import filtered

        candidates = reachable(pipeline, wanted) if targets else pipeline.tasks
        chosen = filtered(pipeline, candidates, filters)
    taking_part = with_services(pipeline, chosen) if only else reachable(pipeline, chosen)
    order = topological_order(pipeline, taking_part)
    return Plan(
        tasks=order,
        jobs=tuple(jobs),
        targets=chosen,
        asked=tuple(dict.fromkeys(targets)),
        only=only,
    )


def everything(pipeline: Pipeline) -> Plan:
    """All jobs and all tasks: a plan to look at, as jobs that cannot run together may be in it."""
    needed = {need for task in pipeline.tasks.values() for need in task.depends_on}
    targets = dict.fromkeys(target for job in pipeline.jobs.values() for target in job.targets)
    targets.update(dict.fromkeys(task for task in pipeline.tasks if task not in needed))
    return Plan(
        tasks=topological_order(pipeline, set(pipeline.tasks)),
        jobs=tuple(pipeline.jobs),
        targets=tuple(targets),
    )


def reachable(pipeline: Pipeline, targets: Iterable[TaskId]) -> set[TaskId]:
    """The targets and everything that they depend on, directly or not."""
    found = set(targets)
    waiting = list(found)
    while waiting:
        for need in pipeline.tasks[waiting.pop()].depends_on:
            if need not in found:
                found.add(need)
                waiting.append(need)
    return found


def topological_order(pipeline: Pipeline, tasks: set[TaskId]) -> tuple[TaskId, ...]:
    """These tasks, each after those of them that it depends on; ties by id.

    Raises:
        BugError: the tasks wait for each other; a checked pipeline has no cycle.
    """
    waits_for = dict.fromkeys(tasks, 0)
    dependents: dict[TaskId, list[TaskId]] = {task: [] for task in tasks}
    for task in tasks:
        for need in pipeline.tasks[task].depends_on:
            if need in waits_for:
                waits_for[task] += 1
                dependents[need].append(task)
    ready = [task for task, count in waits_for.items() if not count]
    heapify(ready)
    order: list[TaskId] = []
    while ready:
        task = heappop(ready)
        order.append(task)
        for dependent in dependents[task]:
            waits_for[dependent] -= 1
            if not waits_for[dependent]:
                heappush(ready, dependent)
    if len(order) != len(tasks):
        raise BugError("a cycle of tasks reached the planner")
    return tuple(order)


def base_name(task: str) -> str:
    """The id of a task without the values of its matrix: `test` for `test[python=3.11]`."""
    return task.partition("[")[0]


def _tasks_named(pipeline: Pipeline, name: str) -> tuple[TaskId, ...]:
    if TaskId(name) in pipeline.tasks:
        return (TaskId(name),)
    expanded = (task.id for task in pipeline.tasks.values() if task.matrix)
    return tuple(task for task in expanded if base_name(task) == name)


def _unknown_target(pipeline: Pipeline, name: str, kind: Kind) -> PlanError:
    # Only mistakes come here: a plan that is right does not pay for the search.
    from pipec.frontend.suggest import did_you_mean

    owner = _owner_elsewhere(pipeline, name) if kind != "job" else ""
    if owner:
        message = f"`{name}` is a task of {owner}, which this version of pipec cannot run yet"
        return PlanError(Code.NOT_SUPPORTED, message)
    if kind == "task" and JobId(name) in pipeline.jobs:
        targets = pipeline.jobs[JobId(name)].targets
        named = ", ".join(f"`{task}`" for task in targets[:3])
        advice: tuple[str, ...] = (f"`{name}` is a job; it runs {named}",)
    else:
        advice = did_you_mean(name, names_of(pipeline, kind))
    thing = {"any": "job or task", "job": "job", "task": "task"}[kind]
    return PlanError(
        Code.UNKNOWN_TARGET,
        f"this pipeline has no {thing} `{name}`",
        help=advice or (f"`pipec list` shows every {thing}",),
    )


def _owner_elsewhere(pipeline: Pipeline, name: str) -> str:
    """Whose task such a name is, if it is one of a source or of the members; else empty."""
    owner, colon, task = base_name(name).rpartition(":")
    if colon and owner in pipeline.sources:
        return f"the source `{owner}`"
    if pipeline.workspace is None:
        return ""
    if colon:
        return "the workspace"
    member_tasks = {base_name(member_task) for member_task in pipeline.workspace.tasks}
    return "every member" if task in member_tasks else ""


def names_of(pipeline: Pipeline, kind: Kind = "any") -> list[str]:
    """Every name that `select` accepts, jobs first."""
    names: dict[str, None] = {}
    if kind != "task":
        names.update(dict.fromkeys(pipeline.jobs))
    if kind != "job":
        for task in pipeline.tasks.values():
            names[task.id] = None
            if task.matrix:
                names[base_name(task.id)] = None
    return list(names)


def _check_one_environment(
    pipeline: Pipeline, jobs: Iterable[Job], named: Iterable[TaskId]
) -> None:
    """A run has one job environment: a task's key must not depend on what else was asked for."""
    first: Job | None = None
    targets: set[TaskId] = set()
    for job in jobs:
        targets.update(job.targets)
        if first is None:
            first = job
        elif (name := _first_difference(first.env, job.env)) is not None:
            raise _conflict(f"jobs `{first.id}` and `{job.id}` do not agree on `{name}`")
    if first is None or not first.env:
        return
    # All jobs at once: what several of them share is walked through once.
    for task in sorted(reachable(pipeline, named) - reachable(pipeline, targets)):
        name = min(first.env)
        raise _conflict(
            f"job `{first.id}` sets `{name}`, and `{task}`, asked for beside it, is no part of it"
        )


def _first_difference(one: Mapping[str, EnvValue], other: Mapping[str, EnvValue]) -> str | None:
    return min((n for n in {*one, *other} if one.get(n) != other.get(n)), default=None)


def _conflict(message: str) -> PlanError:
    return PlanError(
        Code.JOB_ENV_CONFLICT, message, help=("run them one after the other, each by itself",)
    )
