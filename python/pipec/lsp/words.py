"""What the models say of a key, in words: its meaning, what its values are, its default."""

import json
import types
from functools import cache
from typing import Any, Literal, get_args, get_origin

import yaml

from pipec.frontend.discover import Notation
from pipec.frontend.hints import bare, forms_of
from pipec.lsp.expected import ExpectedKey
from pipec.spec.base import Spec

_NAMES: dict[Any, str] = {str: "text", int: "a whole number", bool: "true or false"}


@cache
def describe_key(key: ExpectedKey, notation: Notation) -> str:
    """A key in Markdown: what it is for, what its values are, its default, and an example."""
    meaning = key.meaning
    kinds = " or ".join(dict.fromkeys(_kinds(key.hint)))
    parts = [meaning.text, f"*{kinds}*" if kinds else ""]
    if meaning.is_required:
        parts.append("Required.")
    elif meaning.default not in (None, "", [], {}):
        parts.append(f"Default: `{json.dumps(meaning.default)}`")
    if meaning.example:
        example = meaning.example
        if notation == "yaml":
            example = yaml.safe_dump({meaning.key: meaning.example_value}, sort_keys=False)
        parts.append(f"```{notation}\n{example}```")
    return "\n\n".join(part for part in parts if part)


def _kinds(hint: Any) -> list[str]:
    hint = bare(hint)
    forms = forms_of(hint)
    if forms is not None:
        return [kind for form in forms.values() for kind in _kinds(form)]
    origin = get_origin(hint)
    if origin is types.UnionType:
        return [kind for member in get_args(hint) for kind in _kinds(member)]
    if origin is Literal:
        return [f"`{json.dumps(word).strip(chr(34))}`" for word in get_args(hint)]
    if origin is list:
        return ["a list"]
    if origin is dict or (isinstance(hint, type) and issubclass(hint, Spec)):
        return ["a table"]
    return [_NAMES[hint]] if hint in _NAMES else []
