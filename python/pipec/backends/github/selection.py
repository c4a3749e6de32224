"""Which jobs an event starts, and why; the same predicate that the workflow is printed from."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipec.backends.github.event import Event
from pipec.backends.github.subject import Subject
from pipec.backends.github.triggers import describe_unmet, is_started
from pipec.codes import Code
from pipec.errors import PlanError
from pipec.frontend.suggest import did_you_mean
from pipec.ir.job import JobId
from pipec.ir.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a job, and the reason in words."""

    runs: bool
    reason: str


def judge(subject: Subject, event: Event, *, only: Sequence[str] = ()) -> dict[str, Judgement]:
    """What becomes of each job; with `only`, none but these can run.

    Raises:
        PlanError: a job that is asked for is unknown, or cannot be started by hand.
    """
    jobs = subject.pipeline.jobs
    for name in only:
        if name not in jobs:
            raise _unknown(name, subject)
    if event.name == "workflow_dispatch" and event.selected:
        if event.selected not in jobs:
            raise _unknown(event.selected, subject)
        manual = [job.id for job in subject.manual_jobs]
        if event.selected not in manual:
            message = f"the job `{event.selected}` is not one that is started by hand"
            names = ", ".join(f"`{name}`" for name in manual)
            help_ = f"these are: {names}" if manual else "no job of this pipeline is"
            raise PlanError(Code.UNKNOWN_TARGET, message, help=(help_,))
    return {job_id: _judge(subject, job_id, event, only) for job_id in jobs}


def in_order(pipeline: Pipeline) -> list[str]:
    """The jobs, each after those that it needs; a checked pipeline has no cycle among them."""
    order: dict[str, None] = {}

    def visit(job_id: JobId) -> None:
        for need in pipeline.jobs[job_id].needs:
            visit(need)
        order.setdefault(job_id)

    for job_id in pipeline.jobs:
        visit(job_id)
    return list(order)


def _judge(subject: Subject, job_id: str, event: Event, only: Sequence[str]) -> Judgement:
    clauses = subject.clauses[job_id]
    if only and job_id not in only:
        return Judgement(runs=False, reason="it was not asked for")
    if is_started(clauses, event):
        return Judgement(runs=True, reason=f"the event `{event.name}` starts it")
    of_event = [clause for clause in clauses if clause.event == event.name]
    if not of_event:
        events = ", ".join(f"`{name}`" for name in dict.fromkeys(c.event for c in clauses))
        return Judgement(runs=False, reason=f"it waits for {events or 'nothing'}")
    if event.name == "workflow_dispatch":
        return Judgement(runs=False, reason=f"`{event.selected}` was chosen")
    if event.name == "schedule":
        crons = ", ".join(f"`{clause.cron}`" for clause in of_event)
        return Judgement(runs=False, reason=f"it waits for {crons}")
    unmet = dict.fromkeys(describe_unmet(clause, event) for clause in of_event)
    return Judgement(runs=False, reason=f"it waits for {'; or for '.join(unmet)}")


def _unknown(name: str, subject: Subject) -> PlanError:
    jobs = list(subject.pipeline.jobs)
    help_ = did_you_mean(name, jobs) or ("`pipec list` shows every job",)
    return PlanError(Code.UNKNOWN_TARGET, f"this pipeline has no job `{name}`", help=help_)
