"""Rules on names that refer to something: it has to be there."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.check.checked import Checked
from pipec.frontend.suggest import did_you_mean, nearest
from pipec.ir.inputs import Rule
from pipec.ir.step import AgentStep

BUILT_IN_STORES = ("file", "memory")


def unknown_jobs(checked: Checked) -> Iterator[Finding]:
    """A job needs a job that nobody defined."""
    for name, job in checked.spec.jobs.items():
        for index, need in enumerate(job.needs):
            if need not in checked.spec.jobs:
                route = ("jobs", name, "needs", index)
                yield _unknown(Code.UNKNOWN_JOB, "job", need, checked.spec.jobs, route)


def unknown_triggers(checked: Checked) -> Iterator[Finding]:
    """A job waits for a trigger that nobody defined."""
    for name, job in checked.spec.jobs.items():
        for index, trigger in enumerate(job.trigger):
            if trigger not in checked.spec.triggers:
                route = ("jobs", name, "trigger", index)
                yield _unknown(
                    Code.UNKNOWN_TRIGGER, "trigger", trigger, checked.spec.triggers, route
                )


def unknown_pools(checked: Checked) -> Iterator[Finding]:
    """A task belongs to a pool without a limit."""
    for task, origin in checked.all_written:
        if task.pool and task.pool not in checked.pipeline.pools:
            yield _unknown(
                Code.UNKNOWN_POOL, "pool", task.pool, checked.pipeline.pools, origin.of("pool")
            )


def unknown_stores(checked: Checked) -> Iterator[Finding]:
    """A cache reference or a layer names a store that nobody defined."""
    cache = checked.pipeline.cache
    known = [*cache.stores, *BUILT_IN_STORES]
    default = cache.default.partition(":")[0]
    if default not in known:
        is_text = isinstance(checked.spec.cache, str)
        route: Route = ("cache",) if is_text else ("cache", "default")
        yield _unknown(Code.UNKNOWN_STORE, "store", default, known, route)
    for name, store in cache.stores.items():
        for index, layer in enumerate(store.get("layered", {}).get("stores", ())):
            if layer not in known:
                route = ("cache", "stores", name, "layered", index)
                yield _unknown(Code.UNKNOWN_STORE, "store", layer, known, route)
    for task, origin in checked.all_written:
        store_name = task.cache.store if task.cache is not None else default
        if store_name not in known and store_name != default:
            yield _unknown(Code.UNKNOWN_STORE, "store", store_name, known, origin.of("cache"))


def unknown_agents(checked: Checked) -> Iterator[Finding]:
    """A step is for an agent that nobody defined."""
    known = checked.spec.agents or {}
    for task, origin in checked.all_written:
        for index, step in enumerate(task.steps):
            agent = step.agent if isinstance(step, AgentStep) else None
            if isinstance(agent, str) and agent not in known:
                route = (*origin.of_step(index), "agent")
                yield _unknown(Code.UNKNOWN_AGENT, "agent", agent, known, route)


def unknown_profiles(checked: Checked) -> Iterator[Finding]:
    """A job is executed by a profile that nobody defined."""
    known = checked.spec.execution or {}
    for name, job in checked.spec.jobs.items():
        if job.execution is not None and job.execution not in known:
            route = ("jobs", name, "execution")
            yield _unknown(Code.UNKNOWN_PROFILE, "execution profile", job.execution, known, route)


def unknown_sandboxes(checked: Checked) -> Iterator[Finding]:
    """A profile uses a sandbox that nobody defined."""
    known = checked.spec.sandboxes or {}
    for name, profile in (checked.spec.execution or {}).items():
        if profile.sandbox is not None and profile.sandbox not in known:
            route = ("execution", name, "sandbox")
            yield _unknown(Code.UNKNOWN_SANDBOX, "sandbox", profile.sandbox, known, route)


def misspelt_named_inputs(checked: Checked) -> Iterator[Finding]:
    """A bare word among the inputs is nearly the name of a named input."""
    named = checked.pipeline.named_inputs
    if not named:
        return
    for task, origin in checked.all_written:
        for rule, index in zip(task.inputs, origin.inputs, strict=True):
            if not isinstance(rule, Rule) or not rule.glob.replace("-", "_").isidentifier():
                continue
            close = get_close_matches(rule.glob, named, n=1, cutoff=0.8)
            if close:
                yield Finding(
                    Code.UNKNOWN_NAMED_INPUT,
                    f"`{rule.glob}` is not a named input, so it is taken as a path",
                    (Label(origin.of("inputs", index), f"did you mean `{close[0]}`?"),),
                    severity="warning",
                    replacement=f"{'!' if rule.exclude else ''}{close[0]}",
                )


def _unknown(
    code: Code, kind: str, name: str, known: Iterable[str] | Mapping[str, object], route: Route
) -> Finding:
    return Finding(
        code,
        f"there is no {kind} `{name}`",
        (Label(route),),
        did_you_mean(name, known),
        # A reference to a store may say a policy too, which is not in the name.
        replacement=None if code is Code.UNKNOWN_STORE else nearest(name, known),
    )
