"""Where an error of the models is: its route in the document, and the table that it concerns."""

import types
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Discriminator, RootModel, Tag

from pipec.diagnostics import Route
from pipec.spec.base import Spec


@dataclass(frozen=True, slots=True)
class Place:
    """A route, the model of the table that its last key is in, and whether that key is meant."""

    route: Route
    table: type[Spec] | None
    is_key: bool


def find_place(model: type[Spec], location: Sequence[str | int]) -> Place:
    """The place of a location that pydantic reports for this model.

    Such a location names the chosen form of a value (its tag) between the keys; a route does not.
    """
    hint: Any = model
    table: type[Spec] | None = None
    route: list[str | int] = []
    for element in location:
        hint = _bare(hint)
        forms = _forms(hint)
        if element == "[key]":
            return Place(tuple(route), table, is_key=True)
        if forms is not None:
            hint = forms.get(str(element))
            continue
        route.append(element)
        table = hint if isinstance(hint, type) and issubclass(hint, Spec) else None
        hint = _member(hint, element)
    return Place(tuple(route), table, is_key=False)


def _bare(hint: Any) -> Any:
    """The hint without `Annotated` and `None`, unless it is a choice of tagged forms."""
    while True:
        if get_origin(hint) is Annotated and _forms(hint) is None:
            hint = get_args(hint)[0]
        elif get_origin(hint) in {Union, types.UnionType}:
            members = [member for member in get_args(hint) if member is not types.NoneType]
            if len(members) != 1:
                return hint
            hint = members[0]
        elif isinstance(hint, type) and issubclass(hint, RootModel):
            hint = _hints(hint)["root"]
        else:
            return hint


def _forms(hint: Any) -> dict[str, Any] | None:
    """The forms of a tagged choice by their tags; None for anything else."""
    if get_origin(hint) is not Annotated:
        return None
    choice, *metadata = get_args(hint)
    if not any(isinstance(item, Discriminator) for item in metadata):
        return None
    return {
        item.tag: member
        for member in get_args(choice)
        for item in get_args(member)[1:]
        if isinstance(item, Tag)
    }


def _member(hint: Any, element: str | int) -> Any:
    origin = get_origin(hint)
    if origin is list:
        return get_args(hint)[0]
    if origin is dict:
        return get_args(hint)[1]
    if isinstance(hint, type) and issubclass(hint, Spec):
        for name, field in hint.model_fields.items():
            if (field.alias or name) == element:
                return _hints(hint)[name]
        extra = _hints(hint).get("__pydantic_extra__")
        return None if extra is None else _member(_bare(extra), element)
    return None


@cache
def _hints(model: type[BaseModel]) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)
