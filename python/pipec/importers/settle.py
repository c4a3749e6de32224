"""Makes of a target what the language can hold: ids, no circles, one owner a file, legal values."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from pipec import _core
from pipec.diagnostics import Route
from pipec.frontend.cycles import find_cycles
from pipec.importers.ids import Segments, distinct, give_ids, legal
from pipec.importers.report import Place, Report
from pipec.importers.target import Key, Target, TargetTask
from pipec.spec.base import Spec
from pipec.spec.job import JobSpec
from pipec.spec.paths import normal_pattern
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.task import TaskSpec

_OWN_ID = "default"
_HOST_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*):-")
_LEAST: Mapping[type[Spec], Mapping[str, Any]] = {
    JobSpec: {"target": "x"},
    PipelineSpec: {"name": "x"},
}
"""What has to be there in such a table."""


@dataclass(slots=True)
class Settled:
    """The values of a pipeline file, keys in order, and comments by what they stand above."""

    values: dict[str, Any]
    comments: dict[Route, list[str]] = field(default_factory=dict)


def settle(target: Target, *, own_files: tuple[str, ...]) -> Settled:
    """The pipeline in the language. What it cannot hold becomes a note that something was dropped.

    `own_files` are the names that the pipeline file may get: no task can own it.
    """
    for task in target.tasks.values():
        _let_variables_decide(task.fields)
        _drop_what_is_illegal(task.fields, TaskSpec, task.place, task.shown, target.report)
    _drop_unknown_needs(target)
    _break_circles(target)
    _disown(target, own_files)
    settled = Settled({})
    ids = give_ids(target.tasks)
    names = {key: ".".join(segments) for key, segments in ids.items()}
    fields = {"name": target.name.replace("\0", "").strip() or "app", **target.fields}
    first = next(iter(target.tasks.values()), None)
    place = first.place if first is not None else Place("", 1)
    _drop_what_is_illegal(fields, PipelineSpec, place, "the pipeline", target.report)
    tasks = _tree(target, ids, names, settled)
    jobs = _jobs(target, names, fields.get("triggers", {}), settled)
    if target.comments:
        settled.comments[()] = target.comments
    settled.values = _ordered(
        {**fields, **({"tasks": tasks} if tasks else {}), **({"jobs": jobs} if jobs else {})},
        PipelineSpec,
    )
    return settled


def _let_variables_decide(fields: dict[str, Any]) -> None:
    """A variable of the host that a cached command takes a default for decides about its result."""
    if not fields.get("cache"):
        return
    names = _HOST_VARIABLE.findall(json.dumps(fields.get("run", "")))
    others = [name for name in names if name not in fields.get("env", {})]
    wanted = list(dict.fromkeys([*fields.get("env-inputs", ()), *others]))
    if wanted:
        fields["env-inputs"] = wanted


def _tree(
    target: Target, ids: Mapping[Key, Segments], names: Mapping[Key, str], settled: Settled
) -> dict[str, Any]:
    groups = {segments[:length] for segments in ids.values() for length in range(1, len(segments))}
    tree: dict[str, Any] = {}
    for key, task in target.tasks.items():
        segments = ids[key]
        path = (*segments, _OWN_ID) if segments in groups else segments
        table = tree
        for segment in path[:-1]:
            table = table.setdefault(segment, {})
        needs = [names[need] for need in task.needs]
        fields = {**({"depends-on": needs} if needs else {}), **task.fields}
        table[path[-1]] = _ordered(fields, TaskSpec)
        if task.comments:
            settled.comments[("tasks", *path)] = task.comments
        if names[key] not in (task.shown, ".".join(task.path)):
            target.report.exact(task.place, f"`{task.shown}`", f"it is the task `{names[key]}`")
    return tree


def _jobs(
    target: Target, names: Mapping[Key, str], triggers: Mapping[str, Any], settled: Settled
) -> dict[str, Any]:
    jobs: dict[str, Any] = {}
    given: dict[str, str] = {}
    for job in target.jobs:
        name = distinct(legal(job.name)[:80], jobs)
        given.setdefault(job.name, name)
        targets = list(dict.fromkeys(names[key] for key in job.targets if key in names))
        if not targets:
            continue
        fields: dict[str, Any] = {
            **job.fields,
            "target": targets[0] if len(targets) == 1 else targets,
        }
        _drop_what_is_illegal(fields, JobSpec, job.place, f"job `{job.name}`", target.report)
        jobs[name] = _ordered(fields, JobSpec)
        if job.comments:
            settled.comments[("jobs", name)] = job.comments
    for job_fields in jobs.values():
        named = [name for name in job_fields.pop("trigger", ()) if name in triggers]
        if named:
            job_fields["trigger"] = named
        needs = [given[need] for need in job_fields.get("needs", ()) if given.get(need) in jobs]
        job_fields.pop("needs", None)
        if needs:
            job_fields["needs"] = needs
    for cycle in find_cycles({name: job.get("needs", ()) for name, job in jobs.items()}):
        for name in cycle:
            jobs[name].pop("needs", None)
    return {name: _ordered(fields, JobSpec) for name, fields in jobs.items()}


def _ordered(fields: Mapping[str, Any], model: type[Spec]) -> dict[str, Any]:
    order = model.keys()
    return {key: fields[key] for key in order if key in fields}


def _drop_what_is_illegal(
    fields: dict[str, Any], model: type[Spec], place: Place, subject: str, report: Report
) -> None:
    """Takes out what the models refuse, an item of a list or a member of a table at a time."""
    adapter = TypeAdapter(model)
    # Each round takes something out, so that there is a last one.
    while fields:
        try:
            adapter.validate_python({**_LEAST.get(model, {}), **fields})
        except ValidationError as error:
            # Several errors may be about one value, which goes with its first one. The last value
            # first: taking an item out of a list moves those behind it.
            blamed = {_blamed(fields, details): details for details in reversed(error.errors())}
            taken = False
            for route, details in blamed.items():
                what = _take_out(fields, route) if route else ""
                if what:
                    taken = True
                    report.dropped(place, f"{subject}: {what}", _reason(details))
            if not taken:
                key, _ = fields.popitem()
                report.dropped(place, f"{subject}: `{key}`", _reason(error.errors()[0]))
        else:
            return


def _blamed(fields: dict[str, Any], details: Any) -> Route:
    """The route of the value to take out for an error; empty if it is about the whole."""
    location = details["loc"]
    key = str(location[0] if location else details.get("ctx", {}).get("key", ""))
    if key not in fields:
        return ()
    value, rest = fields[key], location[1:]
    if isinstance(value, list):
        index = next((part for part in rest if isinstance(part, int)), len(value))
        return (key, index) if index < len(value) else (key,)
    if not isinstance(value, dict):
        return (key,)
    # Between the keys may stand the name of the form that a value has.
    member = next((part for part in rest if isinstance(part, str) and part in value), None)
    if member is None:
        return (key,)
    inner = value[member]
    if member == "permissions" and isinstance(inner, dict) and rest[-1] in inner:
        # The others still hold.
        return (key, member, rest[-1])
    return (key, member)


def _take_out(fields: dict[str, Any], route: Route) -> str:
    """Takes out a value; gives what it was called. Empty if it went with another one."""
    *outer, last = route
    parent: Any = fields
    for part in outer:
        if part not in parent:
            return ""
        parent = parent[part]
    if isinstance(parent, dict) and last not in parent:
        return ""
    value = parent.pop(last)
    if isinstance(parent, list) and not parent:
        del fields[str(route[0])]
    written = value.get("sh", value) if isinstance(value, dict) else value
    within = "".join(f" of `{part}`" for part in reversed(outer))
    return f"`{written if isinstance(last, int) else last}`{within}"


def _reason(details: Any) -> str:
    if details["type"] == "extra_forbidden":
        return "pipec does not know it"
    message = str(details.get("ctx", {}).get("message") or details["msg"])
    return message.replace("Input should be", "it has to be")


def _drop_unknown_needs(target: Target) -> None:
    for task in target.tasks.values():
        for need in [need for need in task.needs if need not in target.tasks]:
            place = task.needs.pop(need)
            task.dropped(place, f"needs `{':'.join(need)}`", "there is no such task")


def _break_circles(target: Target) -> None:
    while True:
        edges: dict[Any, list[Any]] = {k: list(task.needs) for k, task in target.tasks.items()}
        cycles = list(find_cycles(edges))
        if not cycles:
            return
        for cycle in cycles:
            last, first = cycle[-1], cycle[0]
            if first not in target.tasks[last].needs:
                continue
            task = target.tasks[last]
            place = task.needs.pop(first)
            reason = "tasks cannot wait for each other in a circle"
            task.dropped(place, f"needs `{target.tasks[first].shown}`", reason)


def _disown(target: Target, own_files: tuple[str, ...]) -> None:
    """Leaves each file to the first task that owns it; the others are not cached."""
    owners: list[TargetTask] = []
    sets: list[list[dict[str, Any]]] = [[{"glob": _literal(name)} for name in own_files]]
    for task in target.tasks.values():
        patterns = list(_globs(task.fields.get("outputs", ())))
        if patterns:
            owners.append(task)
            sets.append(patterns)
    removed: set[int] = set()
    for first, second, path in _core.overlaps(json.dumps(sets)) if owners else ():
        if first in removed or second in removed:
            continue
        removed.add(second)
        task = owners[second - 1]
        task.fields.pop("outputs")
        task.fields["cache"] = False
        owner = "the pipeline file" if first == 0 else f"`{owners[first - 1].shown}`"
        reason = f"`{path}` belongs to {owner} as well, and a file has one owner: it is not cached"
        task.approximated(task.place, "outputs", reason)
    for task in target.tasks.values():
        if task.fields.get("matrix") and task.fields.get("outputs"):
            task.fields.pop("outputs")
            task.fields["cache"] = False
            reason = "the combinations of a matrix run one beside the other and need own outputs"
            task.approximated(task.place, "outputs", reason)
        if task.fields.get("cache") is False:
            task.fields.pop("cache")


def _globs(outputs: Any) -> Iterator[dict[str, Any]]:
    for output in outputs:
        pattern = normal_pattern(output if isinstance(output, str) else output["glob"])
        if pattern.startswith("!"):
            yield {"glob": pattern[1:], "exclude": True}
        else:
            yield {"glob": pattern}


def _literal(name: str) -> str:
    return "".join(f"\\{character}" if character in "*?[]{}\\" else character for character in name)


def is_pattern(pattern: str) -> bool:
    """Whether the language can hold the pattern."""
    try:
        normal_pattern(pattern)
    except PydanticCustomError:
        return False
    return True
