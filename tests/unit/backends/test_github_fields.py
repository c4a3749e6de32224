"""A change that shows in the workflow is a change of some field: a drift has a named cause."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from pipec.backends.github.emit import emit
from pipec.backends.github.facts import Facts
from pipec.backends.github.fields import fields_of
from pipec.backends.github.lower import lower
from pipec.backends.github.place import Place
from pipec.backends.github.subject import Subject, look_at
from pipec.ir.cache import CacheSettings, TaskCache
from pipec.ir.env import Secret, Variable
from pipec.ir.job import GithubPages, GithubSettings, Job, JobEnvironment, JobId, Param
from pipec.ir.pipeline import Pipeline
from pipec.ir.sandbox import Profile
from pipec.ir.sync import SyncSettings
from pipec.ir.sync_github import GithubSync, Install, Toolchain
from pipec.ir.task import Task, TaskId
from pipec.ir.trigger import GithubEvents, Trigger

TEST = TaskId("test")
TASK = Task(id=TEST, cache=TaskCache())
PUSH = GithubEvents(events=("push",), branches=("main",), paths=("src/**",))
JOB = Job(
    id=JobId("verify"),
    targets=(TEST,),
    triggers=("main", "night"),
    mode="manual",
    params={"p": Param(type="choice", choices=("a", "b"))},
)
SYNC = GithubSync(install=Install(), setup={"node": Toolchain(version="24", manager="npm")})
PIPELINE = Pipeline(
    name="app",
    tasks={TEST: TASK},
    jobs={JOB.id: JOB, JobId("after"): Job(id=JobId("after"), targets=(TEST,), triggers=("main",))},
    triggers={
        "main": Trigger(github=PUSH),
        "night": Trigger(cron="17 2 * * *"),
        "noon": Trigger(cron="0 12 * * *"),
    },
    execution={"big": Profile(target="github", runs_on=("big",))},
)


def with_job(**changes: Any) -> Pipeline:
    return replace(PIPELINE, jobs={**PIPELINE.jobs, JOB.id: replace(JOB, **changes)})


def with_github(**changes: Any) -> Pipeline:
    return with_job(github=GithubSettings(**changes))


def with_trigger(**changes: Any) -> Pipeline:
    trigger = Trigger(github=replace(PUSH, **changes))
    return replace(PIPELINE, triggers={**PIPELINE.triggers, "main": trigger})


def with_night(**changes: Any) -> Pipeline:
    night = replace(PIPELINE.triggers["night"], **changes)
    return replace(PIPELINE, triggers={**PIPELINE.triggers, "night": night})


def with_task(**changes: Any) -> Pipeline:
    return replace(PIPELINE, tasks={TEST: replace(TASK, **changes)})


KEY = {"A": Secret(secret="KEY")}
OF_JOB: Mapping[str, Pipeline] = {
    "triggers": with_job(triggers=("main", "noon")),
    "env": with_job(env=KEY),
    "params": with_job(params={"p": Param(default="x", description="what")}),
    "needs": with_job(needs=(JobId("after"),)),
    "environment": with_job(environment=JobEnvironment(name="npm", url="https://example.test")),
    "provenance": with_job(provenance=True),
    "execution": with_job(execution="big"),
    "mode": with_job(mode="ci"),
    "timeout_ms": with_job(timeout_ms=600_000),
}
OF_GITHUB: Mapping[str, Pipeline] = {
    "permissions": with_github(permissions={"issues": "write"}),
    "runs_on": with_github(runs_on=("macos-15",)),
    "runs_on_matrix": with_github(runs_on_matrix=(("macos-15",), ("ubuntu-24.04",))),
    "timeout_minutes": with_github(timeout_minutes=3),
    "concurrency": with_github(concurrency="one"),
    "cancel_in_progress": with_github(concurrency="one", cancel_in_progress=True),
    "pages": with_github(pages=GithubPages(path="site")),
}
OF_EVENTS: Mapping[str, Pipeline] = {
    "events": with_trigger(events=("pull_request",)),
    "branches": with_trigger(branches=("main", "next")),
    "tags": with_trigger(tags=("v*",)),
    "paths": with_trigger(paths=("docs/**",)),
    "types": with_trigger(events=("pull_request",), types=("labeled",)),
}
OF_TRIGGER: Mapping[str, Pipeline] = {
    "manual": with_night(cron="", manual=True),
    "cron": with_night(cron="18 2 * * *"),
    "timezone": with_night(timezone="Europe/Paris"),
}
OF_SYNC: Mapping[str, GithubSync] = {
    "workflow": replace(SYNC, workflow=".github/workflows/ci.yml"),
    "lock": replace(SYNC, lock=".github/ci.lock.json"),
    "name": replace(SYNC, name="other"),
    "mode": replace(SYNC, mode="single"),
    "profile": replace(SYNC, profile="conservative"),
    "install": replace(SYNC, install=Install(requirements="r.txt")),
    "setup": replace(SYNC, setup={"rust": Toolchain()}),
    "cache_tasks": replace(SYNC, cache_tasks=False),
    "cache_dependencies": replace(SYNC, cache_dependencies=True),
    "gate": replace(SYNC, gate="all"),
    "runs_on": replace(SYNC, runs_on=("macos-15",)),
    "timeout_minutes": replace(SYNC, timeout_minutes=7),
    "concurrency": replace(SYNC, concurrency=False),
    "merge_group": replace(SYNC, merge_group=False),
}
MORE: Mapping[str, Pipeline] = {
    "pipeline name": replace(PIPELINE, name="other"),
    "pipeline env": replace(PIPELINE, env=KEY),
    "a variable": replace(PIPELINE, env={"A": Variable(var="B")}),
    "task env": with_task(env=KEY),
    "task cache": with_task(cache=None),
    "cache folder": replace(
        PIPELINE, cache=CacheSettings(stores={"file": {"file": {"root": "x"}}})
    ),
    "a job": replace(PIPELINE, jobs={JOB.id: JOB}),
    "why the token": with_github(permissions={"id-token": "write"}),
}
SILENT = {"id", "description", "targets", "foreign_targets", "github"}
"""Of a job: names it, or shows in nothing but what its tasks declare."""


def look(pipeline: Pipeline, sync: GithubSync = SYNC) -> Subject:
    return look_at(
        replace(pipeline, sync=SyncSettings(github=sync)),
        sync,
        place=Place("/", ""),
        pipeline_file="pipeline.toml",
        facts=Facts(files=frozenset({"package-lock.json"})),
    )


PULLS = with_trigger(events=("pull_request",))
"""What a merge queue asks for shows only beside pull requests."""
CASES: Mapping[str, tuple[Subject, Subject]] = {
    f"{part} {name}": (look(PULLS if name == "merge_group" else PIPELINE), after)
    for part, name, after in [
        *(("job", name, look(pipeline)) for name, pipeline in OF_JOB.items()),
        *(("github", name, look(pipeline)) for name, pipeline in OF_GITHUB.items()),
        *(("events", name, look(pipeline)) for name, pipeline in OF_EVENTS.items()),
        *(("trigger", name, look(pipeline)) for name, pipeline in OF_TRIGGER.items()),
        *(("more", name, look(pipeline)) for name, pipeline in MORE.items()),
        *(
            ("sync", name, look(PULLS if name == "merge_group" else PIPELINE, sync))
            for name, sync in OF_SYNC.items()
        ),
    ]
}


@pytest.mark.parametrize("case", CASES)
def test_what_shows_in_the_workflow_is_a_field(case: str) -> None:
    before, after = CASES[case]
    assert emit(lower(before, {})) != emit(lower(after, {})), "the case shows nothing"
    assert fields_of(before) != fields_of(after)


def test_a_token_for_another_reason_is_another_field() -> None:
    asked, required = look(MORE["why the token"]), look(OF_JOB["provenance"])
    assert emit(lower(asked, {})) != emit(lower(required, {}))
    assert fields_of(asked) != fields_of(required)


def test_every_setting_has_a_case() -> None:
    assert {field.name for field in fields(Job)} - SILENT == OF_JOB.keys()
    assert {field.name for field in fields(GithubSettings)} == OF_GITHUB.keys()
    assert {field.name for field in fields(GithubEvents)} == OF_EVENTS.keys()
    assert {field.name for field in fields(Trigger)} - {"github"} == OF_TRIGGER.keys()
    # The path of the pins is in no workflow: that file is looked for itself.
    assert {field.name for field in fields(GithubSync)} - {"pins"} == OF_SYNC.keys()
