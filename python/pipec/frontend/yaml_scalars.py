"""What a plain scalar means in the core schema of YAML 1.2."""

import re

_INTEGER = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SPECIAL_DOT = re.compile(r"\.([iInN])")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_LONGEST_INTEGER = 64

Scalar = str | int | float | bool | None


def resolve(text: str) -> Scalar:
    """The value of a scalar written without quotes: `on` and `yes` are text, `0123` is 123."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        # Longer ones are no number that anything here could use, and slow to convert.
        return int(text) if len(text) <= _LONGEST_INTEGER else float(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) or _SPECIAL_FLOAT.fullmatch(text):
        return float(_SPECIAL_DOT.sub(r"\1", text))
    return text
