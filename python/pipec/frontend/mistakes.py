"""Words for the mistakes that the models find: what is wrong, where, and what would be right."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pipec.codes import Code
from pipec.diagnostics import Addition, Finding, Label, Route
from pipec.frontend.hints import beginning_of, member_of
from pipec.frontend.places import Place, find_place
from pipec.frontend.suggest import did_you_mean, nearest
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.scalars import describe
from pipec.spec.task import TASK_KEYS, TaskSpec


def describe_mistake(details: Mapping[str, Any], values: dict[str, Any]) -> Finding:
    """The finding for one error of pydantic about the values of a file."""
    place = find_place(PipelineSpec, details["loc"])
    kind = details["type"]
    if kind == "extra_forbidden":
        return _unknown_key(place, values)
    if kind == "missing":
        return _missing_key(place)
    if kind == "pipec":
        return _refused(details["ctx"], place)
    if kind == "form" and isinstance(details["input"], dict):
        return _misspelt_form(details, place)
    code, message, advice, replacement = _WORDS.get(kind, _other)(details, _name_of(place.route))
    labels = (Label(place.route),) if place.route else ()
    return Finding(code, message, labels, advice, replacement=replacement)


def _misspelt_form(details: Mapping[str, Any], place: Place) -> Finding:
    """A table without the key that tells what it is: perhaps that key is misspelt."""
    message = details["msg"]
    decisive = re.findall(r"`([^`]+)`", message.partition("a table with")[2])
    for key in details["input"]:
        meant = nearest(key, decisive)
        if meant is not None:
            label = Label((*place.route, key), f"did you mean `{meant}`?", at="key")
            return Finding(Code.WRONG_TYPE, message, (label,), replacement=meant)
    labels = (Label(place.route),) if place.route else ()
    return Finding(Code.WRONG_TYPE, message, labels)


def _missing_key(place: Place) -> Finding:
    noun = place.table.noun if place.table else "this table"
    table = place.route[:-1]
    labels = (Label(table, at="key"),) if table else ()
    key = str(place.route[-1])
    value = beginning_of(member_of(place.table, key))
    addition = Addition(table, key, value)
    return Finding(Code.MISSING_FIELD, f"{noun} needs `{key}`", labels, addition=addition)


def _refused(context: Mapping[str, Any], place: Place) -> Finding:
    """What a validator of ours refused: it brings its own words."""
    code = Code(context["code"])
    route = (*place.route, *context["within"])
    if context["key"]:
        route = (*route, context["key"])
    is_name = code is Code.INVALID_ID and context["key"]
    at_key = place.is_key or code in _ABOUT_KEYS or bool(is_name)
    labels = [Label(route, at="key" if at_key else "value")]
    if context["beside"]:
        labels.append(Label((*place.route, context["beside"]), "does not go with this", at="key"))
    advice = (context["help"],) if context["help"] else ()
    missing = context["missing"]
    addition = Addition(place.route, missing) if missing else None
    return Finding(code, context["message"], tuple(labels), advice, addition=addition)


_ABOUT_KEYS = frozenset({Code.CONFLICTING_FIELDS, Code.MISSING_FIELD})


def _unknown_key(place: Place, values: dict[str, Any]) -> Finding:
    key = str(place.route[-1])
    table = place.table
    noun = table.noun if table else "this table"
    known = table.keys() if table else ()
    label = Label(place.route, at="key")
    if table is TaskSpec and _is_of_tasks(_value_at(values, place.route)):
        return _task_or_group(place.route, values)
    meant = nearest(key, known)
    if meant is not None:
        label = Label(place.route, f"did you mean `{meant}`?", at="key")
    message = f"{noun} has no key `{key}`"
    return Finding(Code.UNKNOWN_FIELD, message, (label,), replacement=meant)


def _is_of_tasks(value: Any) -> bool:
    """Whether a value looks like a task or a group of tasks."""
    if not isinstance(value, dict):
        return False
    return not TASK_KEYS.isdisjoint(value) or all(isinstance(item, dict) for item in value.values())


_WITH_ANY_NAMES = ("env", "matrix")
"""Keys of tasks whose tables hold names of the author."""


def _keys(value: Any) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


def _task_or_group(route: Route, values: dict[str, Any]) -> Finding:
    table = _value_at(values, route[:-1])
    decisive = next((key for key in table if key in TASK_KEYS), None) or next(
        key for key, member in table.items() if not isinstance(member, dict)
    )
    section = 2 if route[0] == "workspace" else 1
    name = ".".join(str(part) for part in route[section:-1]) or "it"
    message = f"`{name}` is a task, because it has the key `{decisive}`, and a task holds no tasks"
    labels = (
        Label(route, "this would be a task in a group", at="key"),
        Label((*route[:-1], decisive), "this makes it a task", at="key"),
    )
    place = ".".join(str(part) for part in route[:-1])
    advice = f"to have both, move the fields to `[{place}.default]`"
    if decisive not in _WITH_ANY_NAMES and not TASK_KEYS.isdisjoint(_keys(table[decisive])):
        advice = f"if `{decisive}` is meant as a task, give it a name that is no key of tasks"
    return Finding(Code.TASK_OR_GROUP, message, labels, (advice,))


Replacement = str | tuple[str, ...] | None
Words = tuple[Code, str, tuple[str, ...], Replacement]
"""Code, message, help, and what was probably meant."""


def _wrong_type(expected: str) -> Callable[[Mapping[str, Any], str], Words]:
    def words(details: Mapping[str, Any], name: str) -> Words:
        value = details["input"]
        message = f"{name} has to be {expected}, not {describe(value)}"
        if expected == "a list" and isinstance(value, str) and value.isprintable():
            return Code.WRONG_TYPE, message, (f'write `["{value}"]`',), (value,)
        quoted = _as_text(value) if expected == "text" else None
        return Code.WRONG_TYPE, message, _in_quotes(quoted), quoted

    return words


def _wrong_form(details: Mapping[str, Any], _name: str) -> Words:
    message, value = details["msg"], details["input"]
    quoted = _as_text(value) if "text" in message else None
    return Code.WRONG_TYPE, f"{message}, not {describe(value)}", _in_quotes(quoted), quoted


def _wrong_word(details: Mapping[str, Any], name: str) -> Words:
    value = details["input"]
    words = re.findall(r"'([^']*)'", details["ctx"]["expected"])
    if not isinstance(value, str):
        message = f"{name} has to be {_listed(words)}, not {describe(value)}"
        return Code.WRONG_TYPE, message, (), None
    advice = did_you_mean(value, words) or (f"it can be {_listed(words)}",)
    message = f"`{value}` is not a value of {name}"
    return Code.INVALID_VALUE, message, advice, nearest(value, words)


def _limit(words: str, key: str) -> Callable[[Mapping[str, Any], str], Words]:
    def say(details: Mapping[str, Any], name: str) -> Words:
        message = f"{name} has to be {words} {details['ctx'][key]}, not {details['input']}"
        return Code.INVALID_VALUE, message, (), None

    return say


def _too_short(_details: Mapping[str, Any], name: str) -> Words:
    return Code.INVALID_VALUE, f"{name} needs at least one item", (), None


def _other(details: Mapping[str, Any], name: str) -> Words:
    return Code.INVALID_VALUE, f"{name}: {details['msg']}", (), None


_WORDS: dict[str, Callable[[Mapping[str, Any], str], Words]] = {
    "string_type": _wrong_type("text"),
    "int_type": _wrong_type("a whole number"),
    "bool_type": _wrong_type("true or false"),
    "list_type": _wrong_type("a list"),
    "dict_type": _wrong_type("a table"),
    "model_type": _wrong_type("a table"),
    "model_attributes_type": _wrong_type("a table"),
    "form": _wrong_form,
    "literal_error": _wrong_word,
    "greater_than_equal": _limit("at least", "ge"),
    "less_than_equal": _limit("at most", "le"),
    "too_short": _too_short,
}


def _as_text(value: Any) -> str | None:
    """The text that was meant by a number or a truth value."""
    if not isinstance(value, (bool, int, float)):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_quotes(text: str | None) -> tuple[str, ...]:
    return () if text is None else (f'write `"{text}"`',)


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


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words[:-1]) + f" or `{words[-1]}`"
