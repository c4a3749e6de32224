"""Rules on names that nothing refers to: warnings."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.frontend.check.checked import Checked
from pipec.frontend.suggest import did_you_mean, nearest
from pipec.ir.inputs import NamedRule
from pipec.ir.step import AgentStep


def unused_named_inputs(checked: Checked) -> Iterator[Finding]:
    """No task uses the named input, not even through another one."""
    used: set[str] = set()
    pending = [
        rule.named
        for task, _ in checked.all_written
        for rule in task.inputs
        if isinstance(rule, NamedRule)
    ]
    while pending:
        name = pending.pop()
        if name not in used:
            used.add(name)
            rules = checked.pipeline.named_inputs[name]
            pending.extend(rule.named for rule in rules if isinstance(rule, NamedRule))
    yield from _unused("named-inputs", "named input", checked.pipeline.named_inputs.keys(), used)


def unused_triggers(checked: Checked) -> Iterator[Finding]:
    """No job waits for the trigger."""
    used = {trigger for job in checked.pipeline.jobs.values() for trigger in job.triggers}
    yield from _unused("triggers", "trigger", checked.pipeline.triggers.keys(), used)


def unused_pools(checked: Checked) -> Iterator[Finding]:
    """No task belongs to the pool."""
    used = {task.pool for task, _ in checked.all_written}
    yield from _unused("pools", "pool", checked.pipeline.pools.keys(), used)


def unused_sandboxes(checked: Checked) -> Iterator[Finding]:
    """No execution profile runs in the sandbox."""
    used = {profile.sandbox for profile in checked.pipeline.execution.values()}
    yield from _unused("sandboxes", "sandbox", checked.pipeline.sandboxes.keys(), used)


def unused_agents(checked: Checked) -> Iterator[Finding]:
    """No step is for the agent. A step whose agent the host decides may be for any."""
    steps = [step for task, _ in checked.all_written for step in task.steps]
    for source in checked.pipeline.sources.values():
        steps += source.prepare
    agents = [step.agent for step in steps if isinstance(step, AgentStep)]
    used = {agent for agent in agents if isinstance(agent, str)}
    if len(used) == len(set(agents)):
        yield from _unused("agents", "agent", checked.pipeline.agents.keys(), used)


def unused_defaults(checked: Checked) -> Iterator[Finding]:
    """The defaults are for a task that is not there."""
    names: set[str] = set()
    for task, _ in checked.all_written:
        name = task.id.partition("[")[0]
        names.update((name, name.rpartition(".")[2]))
    for key in checked.spec.task_defaults:
        if key != "*" and key not in names:
            yield Finding(
                Code.UNUSED,
                f"no task takes the defaults `{key}`",
                (Label(("task-defaults", key), at="key"),),
                did_you_mean(key, names),
                severity="warning",
                replacement=nearest(key, names),
            )


def _unused(
    section: str, kind: str, declared: AbstractSet[str], used: AbstractSet[str]
) -> Iterator[Finding]:
    for name in sorted(declared - used):
        label = Label((section, name), at="key")
        message = f"the {kind} `{name}` is not used"
        yield Finding(Code.UNUSED, message, (label,), severity="warning")
