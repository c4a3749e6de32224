"""What the keys of a table mean, as their models say it: for schemas, the reference and editors.

The docstring of a field is its meaning and, after a blank line, how the key may be written in TOML:

    timeout: Duration | None = None
    \"\"\"How long an attempt may take.

    timeout = "5m"
    \"\"\"
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tomli
from pydantic.fields import FieldInfo

from pipec.spec.base import Spec, kebab
from pipec.spec.paths import normal_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """A key of a table. `example` is TOML with this key at its top; empty if there is none.

    `default` is what leaving the key out says, as a value of the file; None if that says nothing
    that could be written.
    """

    key: str
    text: str
    example: str
    default: Any
    is_required: bool

    @property
    def example_value(self) -> Any:
        """What the example gives the key; None if there is none."""
        return tomli.loads(self.example)[self.key] if self.example else None


def meanings(model: type[Spec]) -> Iterator[Meaning]:
    """The keys of a table, in their order."""
    for name, field in model.model_fields.items():
        text, _, example = (field.description or "").partition("\n\n")
        yield Meaning(
            key=field.alias or kebab(name),
            text=" ".join(text.split()),
            example=f"{example}\n" if example else "",
            default=_written_default(field),
            is_required=field.is_required(),
        )


def _written_default(field: FieldInfo) -> Any:
    if field.is_required():
        return None
    default = field.get_default(call_default_factory=True)
    if isinstance(default, Spec):
        return default.model_dump(by_alias=True, exclude_unset=True)
    if default == "" and any(getattr(item, "func", None) is normal_path for item in field.metadata):
        # Normalized, the pipeline's own folder is empty, and nobody can write that.
        return "."
    return default
