"""A trigger is one predicate: `on`, `if`, the plan and the run say the same of every event."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pipec.backends.github.emit import emit
from pipec.backends.github.event import Event
from pipec.backends.github.facts import Facts
from pipec.backends.github.lower import lower
from pipec.backends.github.place import Place
from pipec.backends.github.problems import problems
from pipec.backends.github.selection import judge
from pipec.backends.github.subject import PLAN_JOB, Subject, look_at
from pipec.backends.github.triggers import describe_unmet, is_started
from pipec.ir.job import Job, JobId
from pipec.ir.pipeline import Pipeline
from pipec.ir.sync import SyncSettings
from pipec.ir.sync_github import GithubSync, Install
from pipec.ir.task import Task, TaskId
from pipec.ir.trigger import GithubEvents, Trigger
from pipec.spec.github_patterns import matches, pattern_problem
from tests.reference import github_expressions, github_filters

# Few letters, so that patterns and names meet.
NAMES = ["main", "dev", "release/1", "release/1/fix", "v1", "v1.0", "it's", "a", "a/b"]
REF_PATTERNS = [
    "main",
    "dev",
    "release/**",
    "release/*",
    "v*",
    "v[0-9]",
    "**",
    "*",
    "it's",
    "a?",
    "a+",
]
PATHS = ["src/a.py", "docs/x.md", "README.md", "src/docs/y.md"]
PATH_PATTERNS = ["src/**", "**.md", "**/docs/**", "*.md", "docs/*"]
CRONS = ["17 2 * * *", "0 6 * * MON"]
EVENTS = ["push", "pull_request", "merge_group", "issues", "release"]
TYPES = {"pull_request": ["opened", "labeled"], "issues": ["opened"], "release": ["published"]}


@st.composite
def filters(draw: st.DrawFn, patterns: list[str]) -> tuple[str, ...]:
    """Nothing, or a list that does not only exclude."""
    if draw(st.booleans()):
        return ()
    chosen = draw(st.lists(st.sampled_from(patterns), min_size=1, max_size=3))
    rest = draw(st.lists(st.sampled_from(patterns).map(lambda one: f"!{one}"), max_size=2))
    return (*chosen, *rest)


@st.composite
def triggers(draw: st.DrawFn) -> Trigger:
    kind = draw(st.sampled_from(["github", "github", "github", "cron", "manual"]))
    if kind == "manual":
        return Trigger(manual=True)
    if kind == "cron":
        return Trigger(cron=draw(st.sampled_from(CRONS)))
    event = draw(st.sampled_from(EVENTS))
    events = {event, *draw(st.sets(st.sampled_from(["push", "pull_request"]), max_size=1))}
    if events - {"push", "pull_request", "merge_group"}:
        events = {event}
    has_refs = event in {"push", "pull_request", "merge_group"}
    is_typed = len(events) == 1 and event in TYPES and draw(st.booleans())
    return Trigger(
        github=GithubEvents(
            events=tuple(sorted(events)),
            branches=draw(filters(REF_PATTERNS)) if has_refs else (),
            tags=draw(filters(REF_PATTERNS)) if "push" in events else (),
            paths=draw(filters(PATH_PATTERNS)) if events <= {"push", "pull_request"} else (),
            types=tuple(TYPES[event]) if is_typed else (),
        )
    )


@st.composite
def pushes(draw: st.DrawFn) -> Trigger:
    """Triggers of one event that meet in its one filter."""
    simple = st.sampled_from([("main",), ("dev", "release/**"), ("v*",), ("**", "!v**"), ()])
    return Trigger(github=GithubEvents(events=("push",), branches=draw(simple), tags=draw(simple)))


@st.composite
def pipelines(draw: st.DrawFn, of: st.SearchStrategy[Trigger] = triggers()) -> Pipeline:  # noqa: B008
    table = {f"t{index}": draw(of) for index in range(draw(st.integers(1, 3)))}
    jobs = {}
    for name in ("one", "two", "three")[: draw(st.integers(1, 3))]:
        chosen = draw(st.lists(st.sampled_from(sorted(table)), max_size=2, unique=True))
        jobs[JobId(name)] = Job(
            id=JobId(name), targets=(TaskId("test"),), triggers=tuple(sorted(chosen))
        )
    sync = GithubSync(install=Install(), merge_group=draw(st.booleans()))
    return Pipeline(
        name="app",
        tasks={TaskId("test"): Task(id=TaskId("test"))},
        jobs=dict(sorted(jobs.items())),
        triggers=table,
        sync=SyncSettings(github=sync),
    )


@st.composite
def events(draw: st.DrawFn) -> Event:
    name = draw(st.sampled_from([*EVENTS, "schedule", "workflow_dispatch"]))
    branch = draw(st.sampled_from(NAMES))
    changed = tuple(draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=2, unique=True)))
    match name:
        case "push":
            kind = draw(st.sampled_from(["heads", "tags"]))
            return Event(name=name, ref=f"refs/{kind}/{branch}", paths=changed)
        case "pull_request":
            action = draw(st.sampled_from(["opened", "synchronize", "labeled", "closed"]))
            return Event(
                name=name, ref="refs/pull/1/merge", base=branch, action=action, paths=changed
            )
        case "merge_group":
            ref = f"refs/heads/gh-readonly-queue/{branch}/pr-1-0"
            return Event(name=name, ref=ref, base=branch, action="checks_requested")
        case "schedule":
            return Event(name=name, ref="refs/heads/main", cron=draw(st.sampled_from(CRONS)))
        case "workflow_dispatch":
            chosen = draw(st.sampled_from(["", "one", "two", "three"]))
            return Event(name=name, ref="refs/heads/main", selected=chosen)
        case _:
            action = draw(st.sampled_from(["opened", "closed", "published"]))
            return Event(name=name, ref="refs/heads/main", action=action)


def look(pipeline: Pipeline) -> Subject:
    assert pipeline.sync.github is not None
    return look_at(
        pipeline,
        pipeline.sync.github,
        place=Place("/", ""),
        pipeline_file="pipeline.toml",
        facts=Facts(),
    )


def context_of(event: Event, plan: dict[str, str]) -> dict[str, Any]:
    """What GitHub's contexts hold when the event has happened."""
    payload: dict[str, Any] = {"action": event.action or None, "schedule": event.cron or None}
    if event.name == "merge_group":
        payload["merge_group"] = {"base_ref": f"refs/heads/{event.base}"}
    kind = "tag" if event.ref.startswith("refs/tags/") else "branch"
    return {
        "github": {
            "event_name": event.name,
            "event": payload,
            "ref": event.ref,
            "ref_type": kind,
            "base_ref": event.base if event.name == "pull_request" else "",
        },
        "inputs": {"job": event.selected or None},
        "needs": {PLAN_JOB: {"outputs": plan}},
        "status": {"always": True, "success": True, "failure": False, "cancelled": False},
    }


@given(pipelines(), events())
@example(
    Pipeline(
        name="app",
        tasks={TaskId("test"): Task(id=TaskId("test"))},
        jobs={
            JobId("one"): Job(id=JobId("one"), targets=(TaskId("test"),), triggers=("a",)),
            JobId("two"): Job(id=JobId("two"), targets=(TaskId("test"),), triggers=("b",)),
        },
        triggers={
            "a": Trigger(github=GithubEvents(events=("push",), branches=("main", "release/**"))),
            "b": Trigger(github=GithubEvents(events=("push",), tags=("v*",))),
        },
        sync=SyncSettings(github=GithubSync(install=Install())),
    ),
    Event(name="push", ref="refs/tags/v1"),
)
def test_on_and_if_and_the_plan_agree(pipeline: Pipeline, event: Event) -> None:
    agree(pipeline, event)


@given(
    pipelines(pushes()),
    st.builds(
        lambda kind, name: Event(name="push", ref=f"refs/{kind}/{name}", paths=("a",)),
        st.sampled_from(["heads", "tags"]),
        st.sampled_from(NAMES),
    ),
)
def test_they_agree_on_pushes(pipeline: Pipeline, event: Event) -> None:
    agree(pipeline, event)


def agree(pipeline: Pipeline, event: Event) -> None:
    """`on`, `if` and the plan say the same of an event."""
    subject = look(pipeline)
    if problems(subject):
        return
    manual = {job.id for job in subject.manual_jobs}
    if event.name == "workflow_dispatch" and event.selected and event.selected not in manual:
        return
    workflow = yaml.safe_load(emit(lower(subject, {})))
    verdicts = judge(subject, event)
    planned = {job_id: str(verdict.runs).lower() for job_id, verdict in verdicts.items()}
    starts = github_filters.starts(
        workflow["on"],
        {
            "name": event.name,
            "ref": event.ref,
            "base": event.base,
            "action": event.action,
            "cron": event.cron,
            "changed": event.paths or (),
        },
    )
    context = context_of(event, planned)
    for job_id, verdict in verdicts.items():
        condition = workflow["jobs"][job_id].get("if", "true")
        runs = starts and github_expressions.is_true(
            github_expressions.evaluate(condition, context)
        )
        assert runs == verdict.runs, (job_id, condition, workflow["on"])
        for clause in subject.clauses[job_id]:
            if clause.event == event.name and event.name not in {"schedule", "workflow_dispatch"}:
                assert bool(describe_unmet(clause, event)) != is_started([clause], event), clause
        # Where a condition can say it, nobody has to plan.
        assert (PLAN_JOB in condition) == (job_id in subject.planned)


@given(
    st.lists(
        st.sampled_from(["a", "b", "/", "*", "**", "**/", "?", "+", "[ab]", "[a-c]", "."]),
        max_size=6,
    ),
    st.text("ab/c.", max_size=6),
)
def test_patterns_match_as_github_says(parts: list[str], name: str) -> None:
    pattern = "".join(parts)
    if pattern_problem(pattern) or "***" in pattern:
        return
    assert matches([pattern], name) == github_filters.fits(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        # The tables of "Workflow syntax for GitHub Actions", patterns to match branches and paths.
        ("feature/*", "feature/my-branch", True),
        ("feature/*", "feature/beta-a/my-branch", False),
        ("feature/**", "feature/beta-a/my-branch", True),
        ("*", "releases/10", False),
        ("**", "every/branch", True),
        ("*feature", "ver-10-feature", True),
        ("v2*", "v2.9", True),
        ("v[12].[0-9]+.[0-9]+", "v1.10.1", True),
        ("*.jsx?", "page.js", True),
        ("**.js", "src/js/app.js", True),
        ("docs/*", "docs/a/file.md", False),
        ("**/docs/**", "docs/hello.md", True),
        ("**/docs/**", "dir/docs/my-file.txt", True),
        ("**/README.md", "js/README.md", True),
        ("**/*src/**", "my-src/code/js/app.js", True),
        ("**/*-post.md", "path/their-post.md", True),
        ("**/migrate-*.sql", "migrate-10909.sql", True),
    ],
)
def test_the_examples_of_the_documentation_hold(pattern: str, name: str, fits: bool) -> None:  # noqa: FBT001
    assert matches([pattern], name) == fits
    assert github_filters.fits(pattern, name) == fits


def test_what_a_condition_lets_through_for_its_case_the_run_does_not_take() -> None:
    """Expressions of GitHub compare text without case, filters with it: the last word is exact."""
    triggers = {
        "all": Trigger(github=GithubEvents(events=("push",))),
        "main": Trigger(github=GithubEvents(events=("push",), branches=("main",))),
    }
    jobs = {
        JobId(name): Job(id=JobId(name), targets=(TaskId("test"),), triggers=(trigger,))
        for name, trigger in (("every", "all"), ("only", "main"))
    }
    sync = SyncSettings(github=GithubSync(install=Install()))
    tasks = {TaskId("test"): Task(id=TaskId("test"))}
    subject = look(Pipeline(name="app", tasks=tasks, jobs=jobs, triggers=triggers, sync=sync))
    event = Event(name="push", ref="refs/heads/Main")
    condition = yaml.safe_load(emit(lower(subject, {})))["jobs"]["only"]["if"]
    assert github_expressions.evaluate(condition, context_of(event, {})) is True
    assert not judge(subject, event)["only"].runs
