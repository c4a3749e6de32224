"""Versions of actions, as their tags spell them."""

import re
from collections.abc import Iterable

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)", re.ASCII)


def newest(tags: Iterable[str], *, since: str, any_major: bool) -> str:
    """The newest release among tags that is newer than `since`; empty if there is none.

    Only whole versions count, such as `v4.2.0`: shorter tags move, others are no releases.
    """
    current = _numbers(since)
    if current is None:
        return ""
    candidates = [
        (numbers, tag)
        for tag in tags
        if (numbers := _numbers(tag)) is not None
        and numbers > current
        and (any_major or numbers[0] == current[0])
    ]
    return max(candidates)[1] if candidates else ""


def _numbers(tag: str) -> tuple[int, int, int] | None:
    found = _VERSION.fullmatch(tag)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
