"""Strategies for whole documents, built from the models: every key can be in them.

What one table alone cannot know (names, circles, who owns a file) is seen to by drawing names from
a fixed set, which every document defines.
"""

import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st

from pipec.spec import cache as spec_cache
from pipec.spec import (
    env,
    inputs,
    job,
    later,
    matrix,
    service,
    step,
    sync_github,
    sync_tasks,
    task,
    trigger,
)
from pipec.spec.base import Spec
from pipec.spec.events import ACTIVITIES, WITH_BRANCHES, WITH_PATHS, WITH_TAGS, Event
from pipec.spec.paths import Path, Pattern
from pipec.spec.pipeline import PipelineSpec, Requirement
from pipec.spec.scalars import (
    Count,
    Duration,
    EnvName,
    EnvPattern,
    Id,
    Plain,
    PlainTable,
    Size,
    Text,
)

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=8
)
FILLED = TEXTS.map(lambda text: f"x{text}")
IDS = st.sampled_from(["a", "web", "build_1", "on", "null", "no-1"])
ENV_NAMES = st.sampled_from(["A", "B_1", "NODE_ENV", "Y"])
PLAIN = st.recursive(
    st.one_of(FILLED, st.integers(-9, 9), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(FILLED, inner, max_size=2)
    ),
    max_leaves=4,
)
STORES = st.sampled_from(["file", "memory:session", "team", "file:read-write"])

_NAMED: tuple[tuple[Any, st.SearchStrategy[Any]], ...] = (
    (Count, st.integers(1, 9)),
    (Duration, st.sampled_from([1, 90_000, "30s", "1.5s", "2h30m", "500ms", "7d"])),
    (EnvName, ENV_NAMES),
    (EnvPattern, st.sampled_from(["A", "NODE_*"])),
    (Event, st.sampled_from(["push", "pull_request", "issues"])),
    (Id, IDS),
    (Path, st.sampled_from(["web", "./a/b", ".", "é 😀"])),
    (Pattern, st.sampled_from(["src/**", "./a/", "!src/x", "*.{ts,js}", "[ab]?.c", "/top", "#x"])),
    (Plain, PLAIN),
    (PlainTable, st.dictionaries(FILLED, PLAIN, max_size=2)),
    (Requirement, st.sampled_from([">=0.1", ">=0.0.1,<99"])),
    (Size, st.sampled_from([5, "20GiB", "1.5 MB"])),
    (service.Expression, st.sampled_from(["x", "on port \\d+$"])),
    (service.HttpUrl, st.sampled_from(["http://localhost:3000/", "https://[::1]/a?b=c"])),
    (Text, FILLED),
    (matrix.Cell, st.sampled_from(["x", "3.11", 1])),
    (spec_cache.CacheReference, STORES),
    (step.Function, st.just("tools.steps:link")),
    (trigger.Cron, st.sampled_from(["17 2 * * *", "*/5 0-6 1,15 JAN-MAR SUN"])),
    (trigger.Zone, st.sampled_from(["UTC", "Europe/Paris"])),
)

_LEAVES = st.lists(st.sampled_from(["lint", "test"]), max_size=2)
_FIELDS: Mapping[tuple[type[Spec], str], st.SearchStrategy[Any]] = {
    (PipelineSpec, "tasks"): st.nothing(),
    (PipelineSpec, "named-inputs"): st.sampled_from(
        [{"s": ["src"]}, {"s": ["!t"], "t": ["{a,b}"]}]
    ),
    (PipelineSpec, "task-defaults"): st.sampled_from([{"*": {"retry": 2}}, {"a": {"cwd": "a"}}]),
    (task.TaskSpec, "depends-on"): _LEAVES,
    (task.TaskSpec, "pool"): st.just("db"),
    (task.TaskSpec, "outputs"): st.sampled_from(
        [[], ["{}/out/**"], [{"glob": "{}/x", "optional": True}, "!{}/x/y"]]
    ),
    (task.TaskSpec, "matrix"): st.just(
        {
            "os": ["x", "1"],
            "n": [1, 2],
            "exclude": [{"os": "x", "n": 1}],
            "include": [{"os": "z"}],
        }
    ),
    (task.TaskSpec, "retry"): st.sampled_from([3, {"attempts": 2, "delay": "1s", "backoff": 2}]),
    (task.TaskSpec, "priority"): st.integers(-5, 5),
    (service.PortReadySpec, "port"): st.integers(1, 65535),
    (service.ServiceSpec, "restart"): st.sampled_from(["on-failure", "always"]),
    (spec_cache.TaskCacheSpec, "store"): st.sampled_from(["file", "team"]),
    (spec_cache.CacheRegistry, "stores"): st.just({}),
    (spec_cache.StoreSpec, "layered"): st.just(["file", "memory"]),
    (job.JobSpec, "target"): st.sampled_from(["lint", ["lint", "test"]]),
    (job.JobSpec, "trigger"): st.just(["pr"]),
    (job.JobSpec, "needs"): st.just(["verify"]),
    (job.JobSpec, "execution"): st.just("local"),
    (job.JobSpec, "params"): st.sampled_from(
        [{}, {"p": "bool", "q": {"type": "choice", "choices": ["a"], "default": "a"}}]
    ),
    (job.GithubJobSpec, "timeout-minutes"): st.integers(1, 300),
    (inputs.OutputsOfSpec, "outputs-of"): st.just("lint"),
    (later.ProfileSpec, "sandbox"): st.just("box"),
    (later.MockResultSpec, "code"): st.integers(0, 255),
    (later.WorkspaceSpec, "tasks"): st.just({"build": {"depends-on": ["^build"], "run": "x"}}),
    (step.ArgvStepSpec, "argv"): st.lists(FILLED, min_size=1, max_size=2),
    (step.AgentStepSpec, "agent"): st.sampled_from(["claude", {"var": "A"}]),
    (trigger.GithubTriggerSpec, "branches"): st.sampled_from([["main"], ["v[0-9]+.?", "!*-old"]]),
    (trigger.GithubTriggerSpec, "tags"): st.sampled_from([["v*"], ["**", "!a/b"]]),
    (trigger.GithubTriggerSpec, "paths"): st.sampled_from([["src/**"], ["**/*.md", "!é 😀"]]),
    (trigger.GithubTriggerSpec, "types"): st.just(["opened"]),
    (trigger.TriggerSpec, "manual"): st.sampled_from([True]),
    (sync_github.SyncGithubSpec, "workflow"): st.just(".github/workflows/a.yml"),
    (sync_github.SyncGithubSpec, "pins"): st.just(".github/workflows/b.yml"),
    (sync_github.SyncGithubSpec, "timeout-minutes"): st.integers(1, 300),
    (sync_tasks.SyncTasksSpec, "prefix"): st.just("ci"),
    (sync_tasks.SyncTasksSpec, "command"): st.just("uv run pipec"),
    (sync_tasks.SyncTasksSpec, "targets"): st.sampled_from(["root", ["package.json"]]),
    (sync_tasks.SyncTasksSpec, "jobs"): st.sampled_from(["all", ["verify"]]),
    (sync_tasks.SyncTasksSpec, "tasks"): st.sampled_from(["none", ["lint"]]),
    (sync_tasks.SyncTasksSpec, "scripts"): st.just({"dev": "x"}),
}
"""Keys whose values have to fit the rest of the document."""

_ALTERNATIVES: Mapping[type[Spec], tuple[str, ...]] = {
    spec_cache.StoreSpec: ("file", "memory", "redis", "http", "s3", "reapi", "layered"),
    later.SandboxSpec: ("docker", "container", "lima", "local"),
    later.SourceSpec: ("git", "path"),
    later.CommandRuleSpec: ("prefix", "exact"),
    step.AgentStepSpec: ("prompt", "prompt-file"),
    trigger.TriggerSpec: ("manual", "github", "cron", "schedule"),
}
"""Tables that have exactly one of these keys."""

_EXCLUSIVE: Mapping[type[Spec], tuple[tuple[str, str], ...]] = {
    task.TaskSpec: (("run", "steps"), ("interactive", "cache")),
    job.GithubJobSpec: (("runs-on", "runs-on-matrix"), ("pages", "runs-on-matrix")),
    later.SourceSpec: (("path", "ref"), ("path", "prepare")),
    env.VariableValue: (("map", "default"),),
}
"""Of these pairs of keys the second one goes if both are there."""


_NOT_OF_SERVICES = frozenset(
    {"cache", "outputs", "interactive", "retry", "timeout", "pool", "allow-failure", "run", "steps"}
)


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Documents that compile."""
    tasks = st.dictionaries(IDS, _table(task.TaskSpec), max_size=2)
    return st.builds(_whole, _table(PipelineSpec), tasks, st.dictionaries(IDS, tasks, max_size=1))


def _whole(top: dict[str, Any], tasks: dict[str, Any], groups: dict[str, Any]) -> dict[str, Any]:
    """A document with everything that names refer to."""
    written = {name: _owning(name, table) for name, table in tasks.items()}
    for name, inner in groups.items():
        if inner:
            group = {key: _owning(f"{name}_{key}", table) for key, table in inner.items()}
            written[f"group-{name}"] = group
    whole = {**top, "tasks": {**written, "lint": {"run": "x"}, "test": {}}}
    whole["pools"] = {**whole.get("pools", {}), "db": 1}
    whole["cache"] = {"default": "file", "stores": {"team": {"file": {"root": "team"}}}}
    whole["triggers"] = {**whole.get("triggers", {}), "pr": {"manual": True}}
    whole["sandboxes"] = {**whole.get("sandboxes", {}), "box": {"local": {}}}
    whole["execution"] = {**whole.get("execution", {}), "local": {"target": "local"}}
    whole["agents"] = {**whole.get("agents", {}), "claude": {"command": ["claude"]}}
    jobs = {name: table for name, table in whole.get("jobs", {}).items() if name != "verify"}
    whole["jobs"] = {**jobs, "verify": {"target": "lint"}}
    return whole


def _owning(name: str, table: dict[str, Any]) -> dict[str, Any]:
    """The task with outputs that no other task has, and with a need for those that it takes."""

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {**value, "glob": value["glob"].format(name)}
        return value.format(name)

    if any(isinstance(item, dict) and "outputs-of" in item for item in table.get("inputs", ())):
        table = {**table, "depends-on": ["lint"]}
    if "service" in table:
        kept = {key: value for key, value in table.items() if key not in _NOT_OF_SERVICES}
        table = {**kept, "run": "x"}
    outputs = table.get("outputs")
    return (
        table
        if outputs is None or "matrix" in table
        else {**table, "outputs": [*map(named, outputs)]}
    )


@cache
def _table(model: type[Spec]) -> st.SearchStrategy[dict[str, Any]]:
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for field in model.model_fields.values():
        key = field.alias or ""
        value = _FIELDS.get((model, key))
        if value is None:
            value = _value(field.rebuild_annotation())
        if not value.is_empty:
            (required if field.is_required() else optional)[key] = value
    if not optional:
        return st.fixed_dictionaries(required)
    # All keys at once would be a long document; each of them comes about often enough.
    tables = st.lists(st.sampled_from(list(optional)), max_size=3, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries({**required, **{key: optional[key] for key in keys}})
    )
    return st.builds(_fitting(model), tables, st.integers(0, 99))


def _fitting(model: type[Spec]) -> Callable[[dict[str, Any], int], dict[str, Any]]:
    """Takes out of a table what does not go together."""
    alternatives = _ALTERNATIVES.get(model, ())

    def fit(table: dict[str, Any], choice: int) -> dict[str, Any]:
        if model is service.ServiceSpec and table.keys() & {"max-restarts", "restart-delay"}:
            # They are for a service that is started again.
            table = {"restart": "on-failure", **table}
        present = [key for key in alternatives if key in table]
        if alternatives and not present:
            table = {**table, **_LEAST[model]}
        for key in present:
            if key != present[choice % len(present)]:
                del table[key]
        for first, second in _EXCLUSIVE.get(model, ()):
            if first in table:
                table.pop(second, None)
        if model is trigger.TriggerSpec and not {"cron", "schedule"} & table.keys():
            table.pop("timezone", None)
        if model is trigger.GithubTriggerSpec:
            _keep_filters(table)
        if model is later.ProfileSpec and table["target"] == "local":
            table.pop("runs-on", None)
        if model is task.TaskSpec and "matrix" in table:
            # Combinations would share them.
            table.pop("outputs", None)
        if model in _WITH_VERSION and "version" in table:
            table.pop("version-file", None)
        return table

    return fit


def _keep_filters(table: dict[str, Any]) -> None:
    """Leaves a trigger the filters that all of its events have."""
    filters = {
        "branches": WITH_BRANCHES,
        "tags": WITH_TAGS,
        "paths": WITH_PATHS,
        "types": frozenset(event for event, known in ACTIVITIES.items() if "opened" in known),
    }
    for key, events in filters.items():
        if not events.issuperset(table["events"]):
            table.pop(key, None)


_WITH_VERSION = frozenset(sync_github.ToolchainSpec.__subclasses__())
_LEAST: Mapping[type[Spec], dict[str, Any]] = {
    spec_cache.StoreSpec: {"memory": {}},
    later.SandboxSpec: {"local": {}},
    later.SourceSpec: {"git": "x"},
    later.CommandRuleSpec: {"prefix": "x"},
    step.AgentStepSpec: {"prompt": "x"},
    trigger.TriggerSpec: {"manual": True},
}


def _value(hint: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - a case for each shape
    for known, strategy in _NAMED:
        if hint == known:
            return strategy
    origin = get_origin(hint)
    members = [item for item in get_args(hint) if item is not types.NoneType]
    if origin is Annotated:
        return _annotated(hint)
    if origin in {Union, types.UnionType}:
        return st.one_of([_value(member) for member in members])
    if origin is Literal:
        return st.sampled_from(members)
    if origin is list:
        return st.lists(_value(members[0]), min_size=1, max_size=2)
    if origin is dict:
        return st.dictionaries(_value(members[0]), _value(members[1]), max_size=2)
    if hint is str:
        return TEXTS
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(1, 100)
    if isinstance(hint, type) and issubclass(hint, Spec):
        return st.deferred(lambda: _table(hint))
    return st.nothing()


def _annotated(hint: Any) -> st.SearchStrategy[Any]:
    """A form of a choice may have its tag beside the name of its kind."""
    inner, *metadata = get_args(hint)
    for known, strategy in _NAMED:
        if get_origin(known) is Annotated:
            kind, *marks = get_args(known)
            if kind == inner and all(mark in metadata for mark in marks):
                return strategy
    return _value(inner)
