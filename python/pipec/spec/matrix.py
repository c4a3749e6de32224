"""The matrix of a task, §4.5 of the language."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from pipec.codes import Code
from pipec.spec.base import Spec, refusal
from pipec.spec.scalars import ID, Id, describe

_VALUE = re.compile(r"[^\[\],=\x00-\x1f\x7f]+")


def _cell(value: Any) -> str:
    """One value of a variable, as text. A fraction is refused: 3.10 would be 3.1."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        advice = 'put it in quotes: `"3.10"`' if isinstance(value, float) else ""
        message = f"a value of a matrix is text or a whole number, not {describe(value)}"
        raise refusal(Code.WRONG_TYPE, message, advice=advice)
    if not _VALUE.fullmatch(value) or value != value.strip():
        message = f"`{value}` cannot be a value of a matrix"
        advice = "it becomes part of the task's id: no `[`, `]`, `,`, `=`, control or outer space"
        raise refusal(Code.INVALID_VALUE, message, advice=advice)
    return value


Cell = Annotated[
    str,
    BeforeValidator(_cell),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[^\[\],=\x00-\x1f\x7f]+$"},
                {"type": "integer"},
                {"type": "boolean"},
            ]
        }
    ),
]
Variable = Annotated[list[Cell], Field(min_length=1)]


class MatrixSpec(Spec):
    """Variables and their values: the task is made once for each combination."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"propertyNames": {"pattern": f"^{ID}$"}}
    )

    noun: ClassVar[str] = "a matrix"

    __pydantic_extra__: dict[str, Variable]  # type: ignore[mutable-override]

    include: list[dict[Id, Cell]] = Field(default_factory=list)
    """More combinations, or more variables for some.

    include = [{ python = "3.13", os = "linux", experimental = true }]
    """
    exclude: list[dict[Id, Cell]] = Field(default_factory=list)
    """Combinations to leave out.

    exclude = [{ python = "3.11", os = "macos" }]
    """

    @property
    def variables(self) -> dict[str, list[str]]:
        """The variables and their values."""
        return self.__pydantic_extra__

    @model_validator(mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for name in value:
            if not re.fullmatch(ID, name, re.ASCII):
                message = f"`{name}` cannot be a variable of a matrix"
                advice = "letters, digits, `_` and `-`, and no digit or `-` first"
                raise refusal(Code.INVALID_ID, message, advice=advice, key=name)
        names = [name for name in value if name not in {"include", "exclude"}]
        for items in (value.get("include"), value.get("exclude")):
            for item in items if isinstance(items, list) else ():
                names.extend(item if isinstance(item, dict) else ())
        taken: dict[str, str] = {}
        for name in names:
            exported = name.upper().replace("-", "_")
            if taken.setdefault(exported, name) != name:
                message = (
                    f"`{taken[exported]}` and `{name}` would both be the variable "
                    f"`PIPEC_MATRIX_{exported}`"
                )
                both = name in value and taken[exported] in value
                raise refusal(
                    Code.CONFLICTING_FIELDS,
                    message,
                    key=name if both else "",
                    beside=taken[exported] if both else "",
                )
        return value
