"""What the models say of a key, in words: its description, what its values are, its default."""

import types
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from pipec.frontend.hints import bare, forms_of
from pipec.spec.base import Spec

_NAMES: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "a table",
}


def describe_key(info: FieldInfo, hint: Any) -> str:
    """A key in Markdown: what it is for, what its values are, what it is when left out."""
    lines = [info.description or ""]
    kinds = " or ".join(dict.fromkeys(_kinds(hint)))
    if kinds:
        lines.append(f"*{kinds}*")
    if info.is_required():
        lines.append("Has to be there.")
    elif info.default not in (None, "", False) and isinstance(info.default, (str, int)):
        lines.append(f"Default: `{_spelled(info.default)}`")
    lines.extend(f"Example: `{example}`" for example in info.examples or ())
    return "\n\n".join(line for line in lines if line)


def summary(info: FieldInfo) -> str:
    """The first line of what a key is for."""
    return (info.description or "").partition("\n")[0]


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kinds(hint: Any) -> list[str]:
    hint = bare(hint)
    forms = forms_of(hint)
    if forms is not None:
        return [kind for form in forms.values() for kind in _kinds(form)]
    origin = get_origin(hint)
    if origin is types.UnionType:
        return [kind for member in get_args(hint) for kind in _kinds(member)]
    if origin is Literal:
        return [f"`{_spelled(word)}`" for word in get_args(hint)]
    if origin is list:
        return ["a list"]
    if origin is dict or (isinstance(hint, type) and issubclass(hint, Spec)):
        return ["a table"]
    return [_NAMES[hint]] if hint in _NAMES else []
