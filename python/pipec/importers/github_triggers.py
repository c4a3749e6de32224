"""The events of a GitHub workflow as triggers, and their inputs as parameters."""

from dataclasses import dataclass, field
from typing import get_args

from pipec.importers.ids import legal
from pipec.importers.target import Target
from pipec.importers.tree import Node
from pipec.spec.cron import cron_problem
from pipec.spec.events import ACTIVITIES, WITH_BRANCHES, WITH_PATHS, WITH_TAGS, Event
from pipec.spec.github_patterns import pattern_problem, ref_problem

_EVENTS = frozenset(get_args(Event))
_FILTERS = {"branches": WITH_BRANCHES, "tags": WITH_TAGS, "paths": WITH_PATHS}
_ANY_TYPES = "repository_dispatch"
_INPUT_TYPES = {"boolean": "bool", "number": "int", "choice": "choice"}


@dataclass(slots=True, kw_only=True)
class Workflow:
    """A workflow, and what its jobs share."""

    name: str
    top: Node
    groups: bool
    triggers: list[str] = field(default_factory=list)
    params: dict[str, object] = field(default_factory=dict)


def import_triggers(workflow: Workflow, target: Target) -> None:
    """Adds what starts a workflow, and notes in it what its jobs share."""
    node = workflow.top.get("on")
    if node is None:
        return
    events = list(node.members()) if node.is_table else list(node.one_or_more())
    for event in events:
        name = event.key if node.is_table else event.text()
        if name == "schedule":
            _schedules(workflow, event, target)
        elif name == "workflow_dispatch":
            _add_trigger(workflow, "manual", {"manual": True}, event, target)
            _inputs(workflow, event, target, is_only_event=len(events) == 1)
        elif name in _EVENTS:
            settings = _filters(event, name, target) if node.is_table and event.is_table else {}
            trigger = {"github": {"events": [name], **settings}}
            _add_trigger(workflow, name.replace("_", "-"), trigger, event, target)
        else:
            target.dropped(event.place, f"event `{name}`", "pipec does not know it")


def _add_trigger(
    workflow: Workflow, name: str, trigger: object, event: Node, target: Target
) -> None:
    label = legal(f"{workflow.name}-{name}" if workflow.groups else name)
    triggers = target.fields.setdefault("triggers", {})
    count = 1
    while (unique := label if count == 1 else f"{label}-{count}") in triggers:
        count += 1
    triggers[unique] = trigger
    workflow.triggers.append(unique)
    target.report.exact(event.place, "event", f"the trigger `{unique}`")


def _schedules(workflow: Workflow, event: Node, target: Target) -> None:
    for item in event.items():
        cron = item.get("cron")
        text = cron.text() if cron is not None else ""
        problem = cron_problem(text)
        if problem:
            target.dropped(item.place, f"schedule `{text}`", problem)
        else:
            _add_trigger(workflow, "schedule", {"cron": text}, item, target)


def _filters(event: Node, name: str, target: Target) -> dict[str, object]:
    """The filters of an event, but for what GitHub would ignore or refuse."""
    settings: dict[str, object] = {}
    for member in event.members():
        key = member.key.removesuffix("-ignore")
        if key not in _FILTERS and key != "types":
            target.dropped(member.place, f"`{member.key}`", "pipec does not know this filter")
        elif key in _FILTERS and name not in _FILTERS[key]:
            reason = f"the event `{name}` is not filtered by it"
            target.dropped(member.place, f"`{member.key}`", reason)
    for key in (key for key, events in _FILTERS.items() if name in events):
        patterns = _patterns(event, key, target)
        ignored = _patterns(event, f"{key}-ignore", target)
        if ignored and not patterns:
            patterns = ["**", *(f"!{text}" for text in ignored)]
        if patterns and all(text.startswith("!") for text in patterns):
            patterns = ["**", *patterns]
        if patterns:
            settings[key] = patterns
    types = _texts(event, "types")
    known = [text for text in types if name == _ANY_TYPES or text in ACTIVITIES.get(name, ())]
    if types != known:
        reason = f"the event `{name}` has not all of these activities"
        target.dropped(event.place, "`types`", reason)
    if known:
        settings["types"] = known
    return settings


def _patterns(event: Node, key: str, target: Target) -> list[str]:
    """The patterns of a filter that GitHub understands."""
    problem_of = pattern_problem if key.startswith("paths") else ref_problem
    patterns: list[str] = []
    for text in _texts(event, key):
        problem = problem_of(text)
        if problem:
            target.dropped(event.place, f"`{key}`: `{text}`", problem)
        else:
            patterns.append(text)
    return patterns


def _inputs(workflow: Workflow, event: Node, target: Target, *, is_only_event: bool) -> None:
    """Makes parameters of the inputs; with other events each needs a default."""
    inputs = event.get("inputs") if event.is_table else None
    for node in inputs.members() if inputs is not None else ():
        if not node.is_table:
            workflow.params[legal(node.key)] = "string"
            continue
        kind, default = node.get("type"), node.get("default")
        type_ = _INPUT_TYPES.get(kind.text() if kind is not None else "", "string")
        param: dict[str, object] = {"type": type_}
        if type_ == "choice":
            param["choices"] = _texts(node, "options")
        required = node.get("required")
        if default is not None and not isinstance(default.value, (dict, list, float)):
            is_text = type_ in ("string", "choice")
            param["default"] = default.scalar() if is_text else default.value
        elif not is_only_event or required is None or required.value is not True:
            empty: dict[str, object] = {"string": "", "bool": False, "int": 0}
            param["default"] = empty.get(type_, (_texts(node, "options") or [""])[0])
        description = node.get("description")
        if description is not None:
            param["description"] = description.text()
        workflow.params[legal(node.key)] = param
        target.report.exact(node.place, f"input `{node.key}`", "a parameter of the jobs")


def _texts(node: Node, key: str) -> list[str]:
    found = node.get(key) if node.is_table else None
    if found is None:
        return []
    return [text for text in ((item.scalar() or "") for item in found.one_or_more()) if text]
