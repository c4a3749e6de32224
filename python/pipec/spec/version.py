"""Version requirements: `>=0.3,<2`."""

import operator
import re
from collections.abc import Callable

_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<|~=)\s*(\d+(?:\.\d+){0,3})", re.ASCII)
_COMPARISONS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_PARTS = 4
_LONGEST = 200


def requirement_problem(text: str) -> str:
    """What is wrong with a requirement; empty when it is right."""
    if len(text) > _LONGEST:
        return "this is too long for a version requirement"
    for clause in text.split(","):
        if not _CLAUSE.fullmatch(clause.strip()):
            return f"`{clause.strip()}` is not a version requirement"
    return ""


def satisfies(version: str, requirement: str) -> bool:
    """Whether a version meets every clause of a requirement without problems."""
    found = re.match(r"\d+(\.\d+)*", version)
    have = _parts(found.group()) if found else (0,) * _PARTS
    for clause in requirement.split(","):
        match = _CLAUSE.fullmatch(clause.strip())
        assert match is not None
        comparison, wanted = match.groups()
        if comparison == "~=":
            fixed = wanted.count(".")
            if have[:fixed] != _parts(wanted)[:fixed] or have < _parts(wanted):
                return False
        elif not _COMPARISONS[comparison](have, _parts(wanted)):
            return False
    return True


def _parts(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")][:_PARTS]
    return tuple(numbers + [0] * (_PARTS - len(numbers)))
