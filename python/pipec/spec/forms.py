"""What a value can be, in words: `text`, `a duration`, `a list of patterns`."""

import re
import types
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from pipec.spec.base import Spec
from pipec.spec.cache import CacheReference
from pipec.spec.env import EnvFile, EnvValue
from pipec.spec.events import Event
from pipec.spec.inputs import InputItem, OutputItem
from pipec.spec.job import Param
from pipec.spec.matrix import Cell
from pipec.spec.paths import Path, Pattern
from pipec.spec.pipeline import Requirement
from pipec.spec.scalars import Count, Duration, EnvName, EnvPattern, Id, Plain, PlainTable, Size
from pipec.spec.service import Expression, HttpUrl, Ready
from pipec.spec.step import Function, Run, Step
from pipec.spec.task import TaskNode
from pipec.spec.trigger import Cron, Zone

_NAMED: tuple[tuple[Any, str, str], ...] = (
    (CacheReference, "a cache reference", "cache references"),
    (Cell, "text, a whole number, true or false", "values"),
    (EnvFile, "an environment file", "environment files"),
    (EnvValue, "an environment value", "environment values"),
    (InputItem, "an input", "inputs"),
    (OutputItem, "an output", "outputs"),
    (Param, "a parameter", "parameters"),
    (Run, "a step or a list of steps", "steps"),
    (Step, "a step", "steps"),
    (TaskNode, "a task or a group of tasks", "tasks and groups of tasks"),
    (Count, "a whole number", "whole numbers"),
    (Cron, "a cron schedule", "cron schedules"),
    (Duration, "a duration", "durations"),
    (EnvName, "the name of a variable", "names of variables"),
    (EnvPattern, "the name of a variable, or `NAME*`", "names of variables, or `NAME*`"),
    (Event, "an event of GitHub", "events of GitHub"),
    (Function, "a Python function", "Python functions"),
    (Id, "an id", "ids"),
    (Path, "a path", "paths"),
    (Pattern, "a pattern", "patterns"),
    (Plain, "any plain value", "any plain values"),
    (PlainTable, "a table of any plain values", "tables"),
    (Expression, "a regular expression", "regular expressions"),
    (HttpUrl, "an http address", "http addresses"),
    (Ready, "a regular expression, or a check", "checks"),
    (Requirement, "a version requirement", "version requirements"),
    (Zone, "a time zone", "time zones"),
    (Size, "a size", "sizes"),
)
_PLAIN: dict[Any, tuple[str, str]] = {
    str: ("text", "texts"),
    int: ("a whole number", "whole numbers"),
    bool: ("true or false", "truth values"),
    Any: ("any plain value", "any plain values"),
}


def plain_name(model: type[Spec]) -> str:
    """What a kind of table is called: `container`, `requirements`."""
    return re.sub(r"^(an?|the) (table of )?", "", model.noun)


def form_of(field: FieldInfo, name: Callable[[type[Spec]], str] = plain_name) -> str:
    """What the value of a field can be; `name` tells what a kind of table is called."""
    return _words(field.rebuild_annotation(), name, many=False)


Name = Callable[[type[Spec]], str]


def _words(  # noqa: PLR0911 - a case for each shape of a type
    hint: Any, name: Name, *, many: bool
) -> str:
    for known, one, several in _NAMED:
        if hint == known:
            return several if many else one
    origin = get_origin(hint)
    members = [item for item in get_args(hint) if item is not types.NoneType]
    if origin is Annotated:
        return _words(members[0], name, many=many)
    if origin in {Union, types.UnionType}:
        return _joined(dict.fromkeys(_words(member, name, many=many) for member in members))
    if origin is Literal:
        return _joined(f"`{word}`" for word in members)
    if origin is list:
        return f"{'lists' if many else 'a list'} of {_words(members[0], name, many=True)}"
    if origin is dict:
        return f"{'tables' if many else 'a table'} of {_words(members[1], name, many=True)}"
    if hint in _PLAIN:
        return _PLAIN[hint][many]
    assert issubclass(hint, Spec)
    return f"{'tables' if many else 'a table'} ({name(hint)})"


def _joined(words: Iterable[str]) -> str:
    several = list(words)
    return ", ".join(several[:-1]) + " or " + several[-1] if len(several) > 1 else several[0]
