"""Checks every value of the file by the models of `pipec.spec`: all mistakes at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.places import Place, find_place
from pipec.frontend.suggest import did_you_mean, nearest
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.scalars import describe
from pipec.spec.task import TASK_KEYS, TaskSpec


@dataclass(frozen=True, slots=True)
class Validated:
    """What the file says as far as it can be used, and what was wrong with the rest.

    With findings, `spec` holds what is left after the culprits are taken out (None if nothing can
    be said about the whole), and `culprits` are the routes of what was taken out.
    """

    spec: PipelineSpec | None
    findings: tuple[Finding, ...] = ()
    culprits: tuple[Route, ...] = ()


def validate(values: dict[str, Any]) -> Validated:
    """Checks the values of a file."""
    try:
        return Validated(PipelineSpec.model_validate(values))
    except ValidationError as error:
        errors = error.errors(include_url=False)
    findings = [_finding(details, values) for details in errors]
    culprits = tuple(dict.fromkeys(_culprit(finding) for finding in findings))
    return Validated(_rest(values, culprits), tuple(findings), culprits)


def _finding(details: Mapping[str, Any], values: dict[str, Any]) -> Finding:
    place = find_place(PipelineSpec, details["loc"])
    kind = details["type"]
    if kind == "extra_forbidden":
        return _unknown_key(place, values)
    if kind == "missing":
        table, key = place.route[:-1], place.route[-1]
        noun = place.table.noun if place.table else "this table"
        message = f"{noun} needs `{key}`"
        return Finding(Code.MISSING_FIELD, message, (Label(table, at="key"),) if table else ())
    context = details.get("ctx", {})
    if kind == "pipec":
        route = (*place.route, context["key"]) if context["key"] else place.route
        at_key = place.is_key or (context["key"] and context["code"] == Code.CONFLICTING_FIELDS)
        label = Label(route, at="key" if at_key else "value")
        if context["code"] == Code.MISSING_FIELD:
            label = Label(route, at="key")
        advice = (context["help"],) if context["help"] else ()
        return Finding(Code(context["code"]), context["message"], (label,), advice)
    return _wrong_value(kind, details, context, place)


def _unknown_key(place: Place, values: dict[str, Any]) -> Finding:
    key = str(place.route[-1])
    table = place.table
    noun = table.noun if table else "this table"
    known = table.keys() if table else ()
    label = Label(place.route, at="key")
    meant = nearest(key, known)
    if table is TaskSpec and meant is None and isinstance(_value_at(values, place.route), dict):
        return _task_or_group(place.route, values)
    if meant is not None:
        label = Label(place.route, f"did you mean `{meant}`?", at="key")
    message = f"{noun} has no key `{key}`"
    return Finding(Code.UNKNOWN_FIELD, message, (label,))


def _task_or_group(route: Route, values: dict[str, Any]) -> Finding:
    table = _value_at(values, route[:-1])
    decisive = next((key for key in table if key in TASK_KEYS), None) or next(
        key for key, member in table.items() if not isinstance(member, dict)
    )
    name = ".".join(str(part) for part in route[1:-1]) or "it"
    message = f"`{name}` is a task, because it has the key `{decisive}`, and a task holds no tasks"
    labels = (
        Label(route, "this would be a task in a group", at="key"),
        Label((*route[:-1], decisive), "this makes it a task", at="key"),
    )
    advice = f"to have both, move the fields to `[tasks.{name}.default]`"
    return Finding(Code.TASK_OR_GROUP, message, labels, (advice,))


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def _wrong_value(
    kind: str, details: Mapping[str, Any], context: Mapping[str, Any], place: Place
) -> Finding:
    value = details["input"]
    label = (Label(place.route),) if place.route else ()
    name = _name_of(place.route)
    if kind in _EXPECTED:
        message = f"{name} is {_EXPECTED[kind]}, not {describe(value)}"
        advice = _in_quotes(value) if kind == "string_type" else ()
        return Finding(Code.WRONG_TYPE, message, label, advice)
    if kind == "form":
        message = details["msg"]
        if not isinstance(value, dict):
            message += f", not {describe(value)}"
        advice = _in_quotes(value) if "text" in message else ()
        return Finding(Code.WRONG_TYPE, message, label, advice)
    if kind == "literal_error":
        if not isinstance(value, str):
            message = f"{name} is one of {context['expected']}, not {describe(value)}"
            return Finding(Code.WRONG_TYPE, message.replace("'", "`"), label)
        expected = str(context["expected"]).replace("'", "`")
        words = [
            word.strip(" '") for word in str(context["expected"]).replace(" or ", ",").split(",")
        ]
        message = f"`{value}` is not a value of {name}"
        return Finding(
            Code.INVALID_VALUE,
            message,
            label,
            did_you_mean(value, words) or (f"it can be {expected}",),
        )
    limits = {
        "greater_than_equal": ("at least", "ge"),
        "less_than_equal": ("at most", "le"),
    }
    if kind in limits:
        words_, limit = limits[kind]
        return Finding(
            Code.INVALID_VALUE, f"{name} is {words_} {context[limit]}, not {value}", label
        )
    if kind == "too_short":
        return Finding(Code.INVALID_VALUE, f"{name} needs at least one item", label)
    return Finding(Code.INVALID_VALUE, f"{name}: {details['msg']}", label)


def _in_quotes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (bool, int, float)):
        return ()
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return (f'write `"{text}"`',)


def _name_of(route: Route) -> str:
    if not route:
        return "a pipeline"
    if isinstance(route[-1], int):
        keys = [part for part in route if isinstance(part, str)]
        return f"an item of `{keys[-1]}`"
    return f"`{route[-1]}`"


def _value_at(values: Any, route: Iterable[str | int]) -> Any:
    for part in route:
        values = values[part]
    return values


def _culprit(finding: Finding) -> Route:
    """What has to go so that the rest can be judged: the entry of the table that holds the mistake."""
    route = finding.labels[0].route if finding.labels else ()
    while route and isinstance(route[-1], int):
        route = route[:-1]
    return route


_HARMLESS = frozenset({"name", "description", "pipec", "env", "env-files", "env-mode", "$schema"})
"""Keys of the top level whose absence makes nothing else look wrong."""


def _rest(values: dict[str, Any], culprits: Iterable[Route]) -> PipelineSpec | None:
    """The pipeline without the culprits; None if what is left would look wrong for their absence."""
    rest = dict(values)
    for route in culprits:
        if len(route) < 2:  # noqa: PLR2004 - a whole section
            if route and route[0] not in _HARMLESS:
                return None
            if route:
                rest.pop(str(route[0]), None)
            continue
        _take_out(rest, route)
    if not isinstance(rest.get("name"), str) or not rest["name"].strip():
        rest["name"] = "pipeline"
    try:
        return PipelineSpec.model_validate(rest)
    except ValidationError:
        return None


def _take_out(rest: dict[str, Any], route: Route) -> None:
    """Removes one entry; the tables on the way are copied, for they belong to the document."""
    parent: Any = rest
    for part in route[:-1]:
        if isinstance(parent, dict) and part not in parent:
            return
        member = parent[part]
        if not isinstance(member, (dict, list)):
            return
        parent[part] = member.copy()
        parent = parent[part]
    key = route[-1]
    if isinstance(parent, dict) and key in parent:
        # A task stays as an empty one: others may refer to it.
        if route[0] == "tasks" and not isinstance(parent[key], dict) and key not in TASK_KEYS:
            parent[key] = {}
        else:
            del parent[key]
