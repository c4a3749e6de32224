"""Values that are written as text or a number and mean more: names, durations, sizes."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from pipec.codes import Code
from pipec.spec.base import refusal

LARGEST_INTEGER = 2**53 - 1
"""The largest number that every reader of JSON reads back exactly."""

ID = r"[A-Za-z_][A-Za-z0-9_-]*"
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)", re.ASCII)
_BYTES = {
    **dict.fromkeys(("kB", "KB"), 1000),
    "B": 1,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LONGEST_NUMBER = 40


def parse_duration(value: Any) -> int:
    """Milliseconds of a duration: a number of them, or text such as `500ms`, `1.5s`, `2h30m`."""
    if isinstance(value, int) and not isinstance(value, bool):
        milliseconds = value
    elif isinstance(value, str):
        if len(value) > _LONGEST_NUMBER or not _DURATION.fullmatch(value):
            message = f"`{value}` is not a duration"
            advice = "write it as `500ms`, `30s`, `5m`, `1h`, `1.5s`, `2h30m` or `7d`"
            raise refusal(Code.INVALID_DURATION, message, advice=advice)
        parts = _DURATION_PART.findall(value)
        milliseconds = round(sum(Decimal(number) * _MILLISECONDS[unit] for number, unit in parts))
    else:
        message = f"a duration is text such as `5m`, or whole milliseconds, not {describe(value)}"
        raise refusal(Code.WRONG_TYPE, message)
    if not 0 < milliseconds <= LARGEST_INTEGER:
        message = f"a duration is at least 1 ms, and this one is `{value}`"
        if milliseconds > 0:
            message = f"the duration `{value}` is too long"
        raise refusal(Code.INVALID_DURATION, message)
    return milliseconds


def parse_size(value: Any) -> int:
    """Bytes of a size: a number of them, or text such as `20GiB`."""
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _SIZE.fullmatch(value):
        number, unit = _SIZE.findall(value)[0]
        size = int(Decimal(number) * _BYTES[unit])
    elif isinstance(value, str):
        advice = "write it as `500MB` or `20GiB`"
        raise refusal(Code.INVALID_VALUE, f"`{value}` is not a size", advice=advice)
    else:
        message = f"a size is text such as `20GiB`, or whole bytes, not {describe(value)}"
        raise refusal(Code.WRONG_TYPE, message)
    if not 0 < size <= LARGEST_INTEGER:
        raise refusal(Code.INVALID_VALUE, f"`{value}` is no possible size")
    return size


def describe(value: Any) -> str:
    """What a value is, as messages say it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    names: dict[type, str] = {
        str: "text",
        int: "a whole number",
        float: "a fraction",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")


def plain(value: Any) -> Any:
    """The value, of which every part is text, a whole number, a truth value, a list or a table."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while pending:
        at, member = pending.pop()
        if isinstance(member, dict):
            pending.extend(((*at, key), inner) for key, inner in member.items())
        elif isinstance(member, list):
            pending.extend(((*at, index), inner) for index, inner in enumerate(member))
        elif isinstance(member, int):
            if abs(member) > LARGEST_INTEGER:
                message = f"the number {member} is too large"
                raise refusal(Code.INVALID_VALUE, message, within=at)
        elif not isinstance(member, str):
            message = f"a value here cannot be {describe(member)}"
            raise refusal(Code.WRONG_TYPE, message, advice="write it as text", within=at)
    return value


def _filled(value: str) -> str:
    if not value.strip():
        raise refusal(Code.INVALID_VALUE, "this text is empty")
    return value


def _env_name(value: str) -> str:
    if not _ENV_NAME.fullmatch(value):
        advice = "letters, digits and `_`, and no digit first"
        message = f"`{value}` cannot be the name of an environment variable"
        raise refusal(Code.INVALID_ENV_NAME, message, advice=advice)
    return value


def _env_pattern(value: str) -> str:
    if value != "*":
        _env_name(value.removesuffix("*"))
        return value
    message = "`*` would let every variable of the machine decide"
    raise refusal(Code.INVALID_ENV_NAME, message, advice="name them, or a part such as `NODE_*`")


def _id(value: str) -> str:
    if not re.fullmatch(ID, value, re.ASCII):
        advice = "letters, digits, `_` and `-`, and no digit or `-` first"
        if "." in value:
            advice += "; a dot comes from nesting tables: `[tasks.web.build]`"
        raise refusal(Code.INVALID_ID, f"`{value}` cannot be an id", advice=advice)
    return value


def text_like(pattern: str) -> WithJsonSchema:
    """The schema of a text that a validator looks at: as much of its rule as a pattern can say."""
    return WithJsonSchema({"type": "string", "pattern": pattern})


PLAIN_SCHEMA = WithJsonSchema({"type": ["string", "integer", "boolean", "array", "object"]})
Plain = Annotated[Any, BeforeValidator(plain), PLAIN_SCHEMA]
PlainTable = Annotated[dict[str, Annotated[Any, PLAIN_SCHEMA]], BeforeValidator(plain)]
Text = Annotated[str, AfterValidator(_filled), text_like(r"\S")]
Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"},
            ]
        }
    ),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^\d+(\.\d+)? ?([kKMGT]?B|[KMGT]iB)$"},
            ]
        }
    ),
]
EnvName = Annotated[str, AfterValidator(_env_name), text_like(r"^[A-Za-z_][A-Za-z0-9_]*$")]
EnvPattern = Annotated[str, AfterValidator(_env_pattern), text_like(r"^[A-Za-z_][A-Za-z0-9_]*\*?$")]
Id = Annotated[str, AfterValidator(_id), text_like(f"^{ID}$")]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
