"""What the type hints of the models say: of forms, of members, of what may be left out."""

import types
from collections.abc import Callable, Hashable
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Discriminator, RootModel, Tag

from pipec.spec.base import Spec


def bare(hint: Any) -> Any:
    """The hint without `Annotated` and `None`, unless it is a choice of tagged forms."""
    while True:
        if get_origin(hint) is Annotated and forms_of(hint) is None:
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


def chooser_of(hint: Any) -> Callable[[Any], Hashable] | None:
    """What tells the forms of a tagged choice apart; None for anything else."""
    if get_origin(hint) is not Annotated:
        return None
    for item in get_args(hint)[1:]:
        if isinstance(item, Discriminator) and callable(item.discriminator):
            return item.discriminator
    return None


def forms_of(hint: Any) -> dict[str, Any] | None:
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


def member_of(hint: Any, element: str | int) -> Any:
    """The hint of what a key or an index leads to; None where that is not known."""
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
        return None if extra is None else member_of(bare(extra), element)
    return None


def beginning_of(hint: Any) -> str | int | tuple[str, ...] | None:
    """What one would begin to write for a value: of a choice the first form; None for a table."""
    hint = bare(hint)
    forms = forms_of(hint)
    if forms is not None:
        return beginning_of(next(iter(forms.values())))
    origin = get_origin(hint)
    if origin in {Union, types.UnionType, Literal}:
        first = get_args(hint)[0]
        return str(first) if origin is Literal else beginning_of(first)
    if origin is list:
        return ()
    if hint is str:
        return ""
    return 1 if hint is int else None


@cache
def _hints(model: type[BaseModel]) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)
