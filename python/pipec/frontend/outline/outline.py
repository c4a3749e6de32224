"""Outlines a text and says what comes at a place of it, in either notation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipec.frontend.discover import Notation
from pipec.frontend.outline.cursors import Cursor
from pipec.frontend.outline.entries import Outline

if TYPE_CHECKING:
    from pipec.frontend.outline.yaml import KnownBlocks


def outline(text: str, notation: Notation, known: "KnownBlocks | None" = None) -> Outline:
    """The outline of a text; never raises. `known` is what YAML had in earlier versions of it."""
    if notation == "toml":
        from pipec.frontend.outline.toml import outline_toml

        return outline_toml(text)
    from pipec.frontend.outline.yaml import outline_yaml

    return outline_yaml(text, known)


def cursors(text: str, notation: Notation, offset: int, outlined: Outline) -> Sequence[Cursor]:
    """What can come at a byte offset of the text: none, one, or in YAML a key or a value."""
    if notation == "toml":
        from pipec.frontend.outline.toml import toml_cursors

        return toml_cursors(text, offset)
    from pipec.frontend.outline.yaml_cursor import yaml_cursors

    return yaml_cursors(text, offset, outlined)
