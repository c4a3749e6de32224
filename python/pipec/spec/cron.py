"""Whether five cron fields mean something, and how often."""

import re
from itertools import pairwise

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: index for index, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 7, {name: index for index, name in enumerate(_DAYS)}),
)
_PART = re.compile(r"(?P<range>\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?", re.ASCII)
_DAY = 24 * 60
_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def cron_problem(text: str) -> str:
    """What is wrong with the schedule; empty when it is right."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        return f"it has {len(fields)} field{'' if len(fields) == 1 else 's'}, not {len(_FIELDS)}"
    values: list[set[int]] = []
    for field, (name, lowest, highest, names) in zip(fields, _FIELDS, strict=True):
        selected: set[int] = set()
        for part in field.split(","):
            numbers = _numbers(part, lowest, highest, names)
            if numbers is None:
                return f"`{part}` is no {name} ({lowest} to {highest})"
            selected.update(numbers)
        values.append(selected)
    if fields[4] == "*" and all(
        min(values[2]) > _LONGEST_MONTHS.get(month, 31) for month in values[3]
    ):
        return "no month that it names has such a day"
    return ""


def shortest_pause(text: str) -> int:
    """The fewest minutes between two times of a right schedule, on one day or on days in a row."""
    minute, hour, *days = text.split()
    times = sorted(60 * h + m for h in _selected(hour, 1) for m in _selected(minute, 0))
    if days == ["*", "*", "*"]:
        times.append(times[0] + _DAY)
    return min((later - earlier for earlier, later in pairwise(times)), default=_DAY)


def _selected(field: str, index: int) -> set[int]:
    _, lowest, highest, names = _FIELDS[index]
    parts = (_numbers(part, lowest, highest, names) for part in field.split(","))
    return {number for numbers in parts if numbers for number in numbers}


def _numbers(part: str, lowest: int, highest: int, names: dict[str, int]) -> range | None:
    match = _PART.fullmatch(part)
    if match is None:
        return None
    step = int(match["step"] or 1)
    if match["range"] == "*":
        first, last = lowest, highest
    else:
        start = _number(match["first"], names)
        if match["last"]:
            end = _number(match["last"], names)
        else:
            end = highest if match["step"] else start
        if start is None or end is None:
            return None
        first, last = start, end
    if step < 1 or not lowest <= first <= last <= highest:
        return None
    return range(first, last + 1, step)


def _number(word: str, names: dict[str, int]) -> int | None:
    if word.isdigit():
        return int(word)
    return names.get(word.upper())
