"""Prints a workflow: the one place where a value becomes text of a workflow file."""

from collections.abc import Mapping
from typing import Any

from pipec.backends.github.expression import Template, evaluated, literal
from pipec.backends.github.model import (
    Action,
    Concurrency,
    Environment,
    EventFilter,
    Input,
    Job,
    On,
    Pin,
    Step,
    Value,
    Workflow,
)
from pipec.backends.github.yaml_text import Noted, render_yaml

_SPACED = frozenset({"on", "permissions", "concurrency", "defaults", "jobs"})


def emit(workflow: Workflow) -> str:
    """The text of the workflow file."""
    header = "".join(f"# {line}\n" for line in workflow.header)
    return header + ("\n" if header else "") + render_yaml(describe(workflow), spaced=_SPACED)


def describe(workflow: Workflow) -> dict[str, Any]:
    """The workflow as plain values in their order: what a reader of the text gets back.

    Values with a comment are `Noted`.
    """
    document: dict[str, Any] = {
        "name": workflow.name,
        "on": _on(workflow.on),
        "permissions": {},
    }
    if workflow.concurrency is not None:
        document["concurrency"] = _concurrency(workflow.concurrency)
    run: dict[str, Any] = {"shell": "bash"}
    if workflow.working_directory:
        run["working-directory"] = literal(workflow.working_directory)
    document["defaults"] = {"run": run}
    document["jobs"] = {job.id: _job(job, workflow.pins) for job in workflow.jobs}
    return document


def _on(on: On) -> dict[str, Any]:
    events: dict[str, Any] = {name: _event(on.events[name]) for name in sorted(on.events)}
    if on.schedules:
        events["schedule"] = [
            {"cron": item.cron, **({"timezone": item.timezone} if item.timezone else {})}
            for item in on.schedules
        ]
    if on.inputs is not None:
        inputs = {item.name: _input(item) for item in on.inputs}
        events["workflow_dispatch"] = {"inputs": inputs} if inputs else {}
    return events


def _event(event: EventFilter) -> dict[str, Any]:
    lists = {
        "types": event.types,
        "branches": event.branches,
        "tags": event.tags,
        "paths": event.paths,
    }
    return {name: list(values) for name, values in lists.items() if values}


def _input(item: Input) -> dict[str, Any]:
    document: dict[str, Any] = {"description": item.description, "type": item.type}
    document["required"] = item.required
    if item.default is not None:
        document["default"] = item.default
    if item.options:
        document["options"] = list(item.options)
    return document


def _job(job: Job, pins: Mapping[str, Pin]) -> dict[str, Any]:
    document: dict[str, Any] = {"name": _value(job.name)}
    if job.condition is not None:
        document["if"] = evaluated(job.condition).text
    if job.needs:
        document["needs"] = list(job.needs)
    if job.runner_matrix:
        runners = [_labels(labels) for labels in job.runner_matrix]
        document["strategy"] = {"fail-fast": False, "matrix": {"runner": runners}}
        document["runs-on"] = "${{ matrix.runner }}"
    else:
        document["runs-on"] = _labels(job.runs_on)
    if job.environment is not None:
        document["environment"] = _environment(job.environment)
    document["permissions"] = {
        item.scope: Noted(item.level, item.reason) for item in job.permissions
    }
    if job.concurrency is not None:
        document["concurrency"] = _concurrency(job.concurrency)
    document["timeout-minutes"] = job.timeout_minutes
    if job.cache_mode:
        document["cache-mode"] = job.cache_mode
    if job.outputs:
        document["outputs"] = {name: value.text for name, value in job.outputs.items()}
    document["steps"] = [_step(step, pins) for step in job.steps]
    return document


def _labels(labels: tuple[str, ...]) -> str | list[str]:
    return labels[0] if len(labels) == 1 else list(labels)


def _environment(environment: Environment) -> dict[str, Any]:
    document = {"name": _value(environment.name)}
    if environment.url:
        document["url"] = _value(environment.url)
    return document


def _concurrency(concurrency: Concurrency) -> dict[str, Any]:
    return {
        "group": _value(concurrency.group),
        "cancel-in-progress": _value(concurrency.cancel_in_progress),
    }


def _step(step: Step, pins: Mapping[str, Pin]) -> dict[str, Any]:
    document: dict[str, Any] = {"name": literal(step.name)}
    if step.id:
        document["id"] = step.id
    if step.condition is not None:
        document["if"] = evaluated(step.condition).text
    if step.uses is not None:
        document["uses"] = _uses(step.uses, pins[step.uses.repository])
    if step.inputs:
        document["with"] = {name: _value(value) for name, value in step.inputs.items()}
    if step.working_directory:
        document["working-directory"] = step.working_directory
    if step.env:
        document["env"] = {name: _value(value) for name, value in step.env.items()}
    if step.run:
        document["run"] = step.run
    return document


def _uses(action: Action, pin: Pin) -> Noted:
    path = f"/{action.path}" if action.path else ""
    return Noted(f"{action.repository}{path}@{pin.sha}", pin.version)


def _value(value: Value) -> Any:
    if isinstance(value, Template):
        return value.text
    return literal(value) if isinstance(value, str) else value
