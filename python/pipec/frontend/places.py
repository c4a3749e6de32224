"""Where an error of the models is: its route in the document, and the table that it concerns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipec.diagnostics import Route
from pipec.frontend.hints import bare, forms_of, member_of
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
        hint = bare(hint)
        forms = forms_of(hint)
        if element == "[key]":
            return Place(tuple(route), table, is_key=True)
        if forms is not None:
            hint = forms.get(str(element))
            continue
        route.append(element)
        table = hint if isinstance(hint, type) and issubclass(hint, Spec) else None
        hint = member_of(hint, element)
    return Place(tuple(route), table, is_key=False)
