"""What GitHub cannot do as the pipeline says it: one rule a function, each yields its findings."""

import re
from collections.abc import Callable, Iterator

from pipec.backends.github.pages import deployment_id
from pipec.backends.github.parameters import (
    JOB_INPUT,
    MOST_INPUTS,
    input_names,
    inputs_of,
    variable,
)
from pipec.backends.github.subject import PLAN_JOB, Subject
from pipec.backends.github.triggers import crons_of
from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.ir.trigger import GithubEvents
from pipec.plan.services import asked_services
from pipec.spec.cron import shortest_pause

SHORTEST_PAUSE = 5
"""How many minutes GitHub lets pass between two runs of a schedule, after its documentation."""

_INSTALL: Route = ("sync", "github", "install")
_SECRET = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*", re.ASCII | re.IGNORECASE)
_BUILT_IN_SECRET = "GITHUB_TOKEN"  # noqa: S105 - a name, not a secret
_DANGEROUS = {
    "pull_request_target": "it would run with the repository's secrets for anybody's pull request",
    "workflow_run": "it would run with the repository's secrets after anybody's pull request",
}


def problems(subject: Subject) -> list[Finding]:
    """Everything that stands in the way of a workflow; none if it can be generated."""
    return [finding for rule in RULES for finding in rule(subject)]


def no_jobs(subject: Subject) -> Iterator[Finding]:
    """There is nothing to run."""
    if not subject.pipeline.jobs:
        message = "the pipeline has no jobs, and a workflow is made of jobs"
        target = next(iter(subject.pipeline.tasks), "TASK")
        advice = f'a table `[jobs.verify]` with `target = "{target}"` is one'
        yield _finding(message, ("name",), advice)


def dangerous_events(subject: Subject) -> Iterator[Finding]:
    """Events that hand the repository's secrets to strangers."""
    for name, github in _github_triggers(subject):
        for event in github.events:
            if event in _DANGEROUS:
                message = f"pipec generates no workflow for `{event}`: {_DANGEROUS[event]}"
                yield _finding(message, (*_route(name), "events"))


def unsayable_schedules(subject: Subject) -> Iterator[Finding]:
    """Schedules that GitHub writes otherwise, or could not tell apart."""
    zones = crons_of(clause for job in subject.clauses.values() for clause in job)
    for name, trigger in subject.pipeline.triggers.items():
        if not trigger.cron:
            continue
        route: Route = ("triggers", name)
        if re.search(r"(?:^|[,-])7(?:$|[,/-])", trigger.cron.split()[-1]):
            message = f"GitHub has no day of week 7: `{trigger.cron}`"
            yield _finding(message, route, "write Sunday as `0` or `SUN`")
        if shortest_pause(trigger.cron) < SHORTEST_PAUSE:
            message = f"GitHub runs nothing more often than every {SHORTEST_PAUSE} minutes"
            help_ = f"`{trigger.cron}` is more often: `*/{SHORTEST_PAUSE} * * * *` is the most"
            yield _finding(message, route, help_)
        if len(zones.get(trigger.cron.upper(), ())) > 1:
            message = (
                f"GitHub cannot tell `{trigger.cron}` in one time zone from the same in another"
            )
            yield _finding(message, route, "choose another minute for one of them")
        if trigger.timezone and subject.sync.profile == "conservative":
            message = f"the profile `conservative` has no time zones, and `{name}` has one"
            yield _finding(message, (*route, "timezone"), "write the schedule in UTC")


def jobs_without_start(subject: Subject) -> Iterator[Finding]:
    """Jobs that only CI runs, and that nothing starts."""
    for job in subject.pipeline.jobs.values():
        if not subject.clauses[job.id]:
            message = f"nothing starts the job `{job.id}`"
            help_ = "give it a `trigger`, or leave `mode` out so that it can be started by hand"
            yield _finding(message, ("jobs", job.id), help_)


def jobs_without_end(subject: Subject) -> Iterator[Finding]:
    """Jobs that something else than a person starts, and that stay until they are cancelled."""
    for job in subject.pipeline.jobs.values():
        stays = sorted(asked_services(subject.pipeline, job.targets))
        triggers = (subject.pipeline.triggers[name] for name in job.triggers)
        if stays and any(trigger.github or trigger.cron for trigger in triggers):
            message = f"the job `{job.id}` would never end: the service `{stays[0]}` is its target"
            help_ = "let its target be a task that depends on the service"
            yield _finding(message, ("jobs", job.id, "target"), help_)


def clashing_jobs(subject: Subject) -> Iterator[Finding]:
    """Jobs whose ids GitHub takes for the same, or that the workflow needs itself."""
    sync = subject.sync
    taken: dict[str, str] = {}
    if sync.gate and sync.mode == "jobs":
        taken[sync.gate.lower()] = "the gate of the workflow"
    if subject.planned:
        taken[PLAN_JOB] = "the job that evaluates triggers"
    for job in subject.pipeline.jobs.values():
        if job.github.pages is not None:
            taken[deployment_id(job.id).lower()] = f"the deployment of `{job.id}`"
    for job_id in subject.pipeline.jobs:
        if other := taken.get(job_id.lower()):
            message = f"the job `{job_id}` and {other} would have one id"
            yield _finding(message, ("jobs", job_id), "`sync.github.gate` renames the gate")
        taken[job_id.lower()] = f"the job `{job_id}`"


def refused_permissions(subject: Subject) -> Iterator[Finding]:
    """A job without the permission that its checkout needs."""
    for job in subject.pipeline.jobs.values():
        if job.github.permissions.get("contents") == "none":
            message = f"the job `{job.id}` could not check out the repository"
            yield _finding(message, ("jobs", job.id, "github", "permissions", "contents"))
        if job.provenance and job.github.permissions.get("id-token") == "none":
            message = f"the job `{job.id}` requires provenance, and refuses the token for it"
            yield _finding(message, ("jobs", job.id, "github", "permissions", "id-token"))


def bad_secrets(subject: Subject) -> Iterator[Finding]:
    """Names that no secret or variable of GitHub can have."""
    for job_id, needed in subject.needed.items():
        for kind, names in (("secret", needed.secrets), ("variable", needed.variables)):
            for name in names:
                if name != _BUILT_IN_SECRET and not _SECRET.fullmatch(name):
                    message = f"no {kind} of GitHub can be called `{name}`"
                    yield _finding(
                        message,
                        ("jobs", job_id),
                        "letters, digits and `_`, no digit first, and not `GITHUB_…`",
                    )


def values_in_scripts(subject: Subject) -> Iterator[Finding]:
    """Commands and folders that would bring an expression of GitHub into a script."""
    install = subject.sync.install
    written: list[tuple[Route, str]] = [
        (_INSTALL, text) for text in (*install.commands, *install.path)
    ]
    for name, toolchain in subject.setup.items():
        place: Route = ("sync", "github", "setup", name, "install")
        written += [(place, text) for text in toolchain.install or ()]
    for route, text in written:
        if "${{" in text:
            message = f"no value of GitHub stands in a script, and `{text}` asks for one"
            help_ = "a value can hold anything, commands too: hand it over as a variable"
            yield _finding(message, route, help_)


def params_nobody_gives(subject: Subject) -> Iterator[Finding]:
    """A parameter without default of a job that an event starts."""
    for job in subject.pipeline.jobs.values():
        events = {clause.event for clause in subject.clauses[job.id]} - {"workflow_dispatch"}
        for name, param in job.params.items():
            if param.default is None and events:
                message = (
                    f"the job `{job.id}` is started by `{min(events)}`, which gives no value for "
                    f"its parameter `{name}`"
                )
                yield _finding(message, ("jobs", job.id, "params", name), "give it a `default`")


def too_many_inputs(subject: Subject) -> Iterator[Finding]:
    """Inputs beyond what GitHub allows, or two of one name."""
    jobs = subject.manual_jobs
    if not jobs:
        return
    inputs = inputs_of(jobs)
    if len(inputs) > MOST_INPUTS:
        message = f"a workflow has at most {MOST_INPUTS} inputs, and this one has {len(inputs)}"
        yield _finding(message, ("jobs",))
    taken: dict[str, tuple[str, str]] = {}
    for (job_id, name), shared in input_names(jobs).items():
        # GitHub takes no notice of case, and a step finds `a-b` and `a_b` in one variable.
        other = taken.setdefault(variable(shared), (job_id, name))
        is_shared = other[1] == name and shared == name
        is_chosen_job = variable(shared) == variable(JOB_INPUT)
        if is_chosen_job or (other != (job_id, name) and not is_shared):
            message = f"two parameters would be the input `{shared}`"
            yield _finding(message, ("jobs", job_id, "params", name), "rename one of them")


def beyond_one_job(subject: Subject) -> Iterator[Finding]:
    """What one dispatching job cannot do for several."""
    if subject.sync.mode != "single":
        return
    for job in subject.pipeline.jobs.values():
        for key, is_there in (
            ("environment", job.environment is not None),
            ("concurrency", bool(job.github.concurrency)),
            ("pages", job.github.pages is not None),
            ("runs-on", bool(job.github.runs_on)),
            ("runs-on-matrix", bool(job.github.runs_on_matrix)),
        ):
            if is_there:
                route = ("jobs", job.id) if key == "environment" else ("jobs", job.id, "github")
                message = f'with `mode = "single"` the job `{job.id}` has no `{key}` of its own'
                yield _finding(message, (*route, key))


RULES: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    no_jobs,
    dangerous_events,
    unsayable_schedules,
    jobs_without_start,
    jobs_without_end,
    clashing_jobs,
    refused_permissions,
    bad_secrets,
    values_in_scripts,
    params_nobody_gives,
    too_many_inputs,
    beyond_one_job,
)


def _github_triggers(subject: Subject) -> Iterator[tuple[str, GithubEvents]]:
    """The triggers that some job uses: what is not used is not generated."""
    used = {name for job in subject.pipeline.jobs.values() for name in job.triggers}
    for name, trigger in subject.pipeline.triggers.items():
        if trigger.github is not None and name in used:
            yield name, trigger.github


def _route(trigger: str) -> Route:
    return ("triggers", trigger, "github")


def _finding(message: str, route: Route, *help_: str) -> Finding:
    return Finding(Code.NOT_FOR_GITHUB, message, (Label(route),), help_)
