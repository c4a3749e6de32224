"""What all tables of the file have in common: kebab-case keys, no unknown ones, no conversions."""

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Discriminator
from pydantic_core import PydanticCustomError

from pipec.codes import Code


def kebab(name: str) -> str:
    """The key that spells a field: `depends_on` is `depends-on`, `with_` is `with`."""
    return name.rstrip("_").replace("_", "-")


ONE_KEY: dict[str, Any] = {"minProperties": 1, "maxProperties": 1}
"""What the schema of a table says that is exactly one kind of a thing."""


class Spec(BaseModel):
    """One table of the file. `noun` is what messages call it."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        alias_generator=kebab,
        use_attribute_docstrings=True,
    )

    noun: ClassVar[str]

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that the table may have."""
        return tuple(kebab(name) for name in cls.model_fields)


def refusal(
    code: Code,
    message: str,
    *,
    advice: str = "",
    key: str = "",
    beside: str = "",
    within: tuple[str | int, ...] = (),
    missing: str = "",
) -> PydanticCustomError:
    """An error for a validator to raise.

    `key` is the member of the table that is to blame, `beside` the one that it does not go with;
    `within` leads from the value that is validated to the one that is to blame. `missing` is a
    list that the table needs.
    """
    context = {
        "within": within,
        "code": code.value,
        "message": message,
        "help": advice,
        "key": key,
        "beside": beside,
        "missing": missing,
    }
    return PydanticCustomError("pipec", "{message}", context)


def by_form(choose: Callable[[Any], Hashable], expected: str) -> Discriminator:
    """Tells the forms of a value apart by its looks, so that a mistake is judged by one form only.

    `expected` ends the sentence "…, expected" when `choose` finds no form and gives None.
    """
    return Discriminator(choose, custom_error_type="form", custom_error_message=expected)


def by_type(**forms: type) -> Callable[[Any], Hashable]:
    """A choice for `by_form`: the form whose type the value has, exactly."""
    by_type = {kind: form for form, kind in forms.items()}

    def choose(value: Any) -> Hashable:
        return by_type.get(type(value))

    return choose


def by_key(*keys: str, text: bool = False) -> Callable[[Any], Hashable]:
    """A choice for `by_form`: the first of `keys` that a table has; for text, `text` if allowed."""

    def choose(value: Any) -> Hashable:
        if isinstance(value, str):
            return "text" if text else None
        if isinstance(value, dict):
            return next((key for key in keys if key in value), None)
        return None

    return choose
