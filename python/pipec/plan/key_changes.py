"""What a change of the definition does to the keys of tasks, by the components of a key."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipec.ir.codec import plain
from pipec.ir.env import EnvValue, Literal
from pipec.ir.inputs import NamedInputs, NamedRule, OutputsOfInput, Rule
from pipec.ir.pipeline import Pipeline
from pipec.ir.step import AgentStep, PythonStep, ShellStep, Step, StepOptions
from pipec.ir.task import Task, TaskId
from pipec.plan.change import Change, KeyChange
from pipec.plan.select import reachable

_NOT_IN_KEY = frozenset({"name", "timeout-ms", "env"})
"""Step fields that do not change what a step does; the environment is a component of its own."""

Env = Mapping[str, EnvValue]


def key_changes(
    before: Pipeline, after: Pipeline, changes: Sequence[Change]
) -> Iterator[KeyChange]:
    """For each task that both have: what becomes of its key, if anything can, or if it changed.

    Ids of `before` are those of `after`.
    """
    touched = {change.place[1] for change in changes if change.place[:1] == ("tasks",)}
    jobs = _tasks_by_job_environment(before, after)
    for task_id, new in after.tasks.items():
        old = before.tasks.get(task_id)
        if old is None:
            continue
        changed: list[str] = []
        possible: list[str] = []
        for name, verdict in _components(old, new, before, after):
            if verdict:
                (changed if verdict == "changed" else possible).append(name)
        if task_id in jobs and "env" not in (*changed, *possible):
            possible.append("env")
        if changed or possible or task_id in touched:
            yield KeyChange(task=task_id, changed=tuple(changed), possible=tuple(possible))


def _components(
    old: Task, new: Task, before: Pipeline, after: Pipeline
) -> Iterator[tuple[str, str]]:
    """Each component with `changed`, `possible` or nothing, in the order of a key."""
    inputs = [
        (task.inputs_gitignore, _selection(task.inputs, pipeline.named_inputs))
        for task, pipeline in ((old, before), (new, after))
    ]
    yield "inputs", "" if inputs[0] == inputs[1] else "possible"
    yield "values", _strongest({_values(old, new), _found_of_steps(old, new, before, after)})
    yield "dependencies", _dependencies(old, new)
    yield "steps", _certain(_steps(old), _steps(new))
    yield "shell", _certain(_shell(old), _shell(new))
    yield "cwd", _certain(old.cwd, new.cwd)
    yield "outputs", _certain(old.outputs, new.outputs)
    yield "env", _environment(old, new, before, after)
    yield "env-inputs", _env_inputs(old, new)
    yield "matrix", _certain(dict(old.matrix), dict(new.matrix))
    yield "platform", _certain(old.platform_independent, new.platform_independent)
    yield "salt", _certain(_salt(old), _salt(new))


def _certain(old: object, new: object) -> str:
    return "" if old == new else "changed"


def _selection(rules: Sequence[Rule | NamedRule], named: NamedInputs) -> list[Any]:
    """The rules with what the named inputs among them stand for, each named input once."""
    selection: list[Any] = []
    seen: set[str] = set()
    pending: list[Rule | NamedRule] = list(rules)
    while pending:
        rule = pending.pop()
        selection.append(rule)
        if isinstance(rule, NamedRule) and rule.named not in seen:
            seen.add(rule.named)
            selection.append(named[rule.named])
            pending.extend(named[rule.named])
    return selection


def _values(old: Task, new: Task) -> str:
    """Each value has a label in the key; that of a task's outputs does not name the task."""
    if Counter(map(_label, old.structured_inputs)) != Counter(map(_label, new.structured_inputs)):
        return "changed"
    is_same = Counter(old.structured_inputs) == Counter(new.structured_inputs)
    return "" if is_same else "possible"


def _label(item: object) -> object:
    return "outputs" if isinstance(item, OutputsOfInput) else item


def _found_of_steps(old: Task, new: Task, before: Pipeline, after: Pipeline) -> str:
    """What a run finds out about steps that are no commands."""
    then, now = _step_values(old, before), _step_values(new, after)
    verdicts = {_certain(then.keys(), now.keys())}
    for label in then.keys() & now.keys():
        if then[label] != now[label]:
            is_known = isinstance(then[label], str) and isinstance(now[label], str)
            verdicts.add("changed" if is_known else "possible")
    return _strongest(verdicts)


def _step_values(task: Task, pipeline: Pipeline) -> dict[str, object]:
    """By label: text for what is written down, anything else for what only a run finds out."""
    values: dict[str, object] = {}
    for number, step in enumerate(task.steps, start=1):
        if isinstance(step, AgentStep):
            agent = pipeline.agents.get(step.agent) if isinstance(step.agent, str) else None
            values[f"agent of step {number}"] = step.agent
            values[f"model of step {number}"] = step.model or (agent.model if agent else None)
            values[f"prompt of step {number}"] = step.prompt or (step.prompt_file,)
        elif isinstance(step, PythonStep) and step.kind == "dynamic":
            values[f"commands of step {number}"] = (step.function, dict(step.arguments))
    return values


def _dependencies(old: Task, new: Task) -> str:
    """What each one made counts, not its name: another number of them is another key."""
    needs = [{*task.depends_on, *_sources(task)} for task in (old, new)]
    if len(needs[0]) != len(needs[1]):
        return "changed"
    return "" if needs[0] == needs[1] else "possible"


def _sources(task: Task) -> set[TaskId]:
    return {
        TaskId(item.outputs_of)
        for item in task.structured_inputs
        if isinstance(item, OutputsOfInput)
    }


def _steps(task: Task) -> list[Any]:
    return [
        {name: value for name, value in plain(step).items() if _counts(step, name)}
        for step in task.steps
    ]


def _counts(step: Step, field: str) -> bool:
    """What is found out about a step counts as a value, and not as it is written."""
    if isinstance(step, AgentStep):
        return field in ("kind", "stdout-to")
    if isinstance(step, PythonStep) and step.kind == "dynamic":
        return field == "kind"
    return field not in _NOT_IN_KEY


def _shell(task: Task) -> object:
    """The task's shell, if a step uses it and it is not the one that is always meant."""
    is_used = any(isinstance(step, ShellStep) and not step.shell for step in task.steps)
    return plain(task).get("shell") if is_used else None


def _salt(task: Task) -> str:
    return task.cache.salt if task.cache is not None else ""


def _environment(old: Task, new: Task, before: Pipeline, after: Pipeline) -> str:
    layers = [
        ({**before.env, **old.env}, {**after.env, **new.env}),
        *zip(map(_step_env, old.steps), map(_step_env, new.steps), strict=False),
    ]
    verdicts = {_declared(*pair) for pair in layers}
    if len(old.steps) != len(new.steps):
        verdicts.add("changed")
    if before.env_files != after.env_files:
        verdicts.add("possible")
    return _strongest(verdicts)


def _step_env(step: object) -> Env:
    return step.env if isinstance(step, StepOptions) else {}


def _declared(old: Env, new: Env) -> str:
    """Names always count; values unless they are not to, or are only known on a host."""
    if old.keys() != new.keys():
        return "changed"
    return _strongest({_value(old[name], new[name]) for name in old})


def _value(old: EnvValue, new: EnvValue) -> str:
    if old.in_key != new.in_key:
        return "changed"
    if not old.in_key or old == new:
        return ""
    is_known = isinstance(old, Literal) and isinstance(new, Literal)
    return "changed" if is_known else "possible"


def _env_inputs(old: Task, new: Task) -> str:
    """A name counts even if nothing is set; a pattern is what it finds."""
    if set(old.env_inputs) == set(new.env_inputs):
        return ""
    exact = [{name for name in task.env_inputs if "*" not in name} for task in (old, new)]
    has_patterns = any("*" in name for name in (*old.env_inputs, *new.env_inputs))
    return "changed" if exact[0] != exact[1] and not has_patterns else "possible"


def _strongest(verdicts: set[str]) -> str:
    return next((verdict for verdict in ("changed", "possible") if verdict in verdicts), "")


def _tasks_by_job_environment(before: Pipeline, after: Pipeline) -> set[TaskId]:
    """The tasks of jobs that both have and whose environment is another."""
    targets = [
        target
        for job_id, job in after.jobs.items()
        if job_id in before.jobs and before.jobs[job_id].env != job.env
        for target in job.targets
    ]
    return reachable(after, targets)
