"""GitHub's patterns of branches, tags and paths: what they match, and which ones mean nothing."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

EVERYTHING = ("**",)
"""A filter that lets all pass."""

_SPECIAL = frozenset("*?+[]!\\")


def matches(filters: Sequence[str], name: str) -> bool:
    """Whether a filter lets a name pass: the last pattern that fits decides, `!` excludes."""
    passes = False
    for pattern in filters:
        excludes = pattern.startswith("!")
        if _compiled(pattern[1:] if excludes else pattern).fullmatch(name):
            passes = not excludes
    return passes


def is_literal(pattern: str) -> bool:
    """Whether the pattern means the one name that it is."""
    return not _SPECIAL.intersection(pattern)


def pattern_problem(pattern: str) -> str:
    """What is wrong with a pattern; empty when nothing is."""
    try:
        _compiled(pattern.removeprefix("!"))
    except ValueError as error:
        return str(error)
    return ""


def ref_problem(pattern: str) -> str:
    """What is wrong with a pattern of branches or tags; empty when nothing is."""
    problem = pattern_problem(pattern)
    if problem:
        return problem
    text = pattern.removeprefix("!")
    for character in text:
        if character in " ~^:" or character < " " or character == "\x7f":
            return f"no branch or tag can contain `{character}`"
    if text.startswith("/") or text.endswith("/"):
        return "no branch or tag begins or ends with `/`"
    return ""


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_translate(pattern)), re.DOTALL)


def _translate(pattern: str) -> Iterator[str]:
    """Parts of a regular expression."""
    if not pattern:
        raise ValueError("it is empty")
    index = 0
    while index < len(pattern):
        if pattern[index] == "*":
            end = index + len(pattern[index:]) - len(pattern[index:].lstrip("*"))
            begins_segment = index == 0 or pattern[index - 1] == "/"
            if end - index == 1:
                yield "[^/]*"
            elif begins_segment and pattern[end : end + 1] == "/":
                yield "(?:.*/)?"
                end += 1
            else:
                yield ".*"
            index = end
            continue
        one, index = _one(pattern, index)
        if pattern[index : index + 1] in {"?", "+"}:
            one += pattern[index]
            index += 1
        yield one


def _one(pattern: str, index: int) -> tuple[str, int]:
    """The expression for one character, and where the next begins."""
    character = pattern[index]
    if character in "?+":
        raise ValueError(f"`{character}` has nothing to repeat")
    if character == "[":
        end = pattern.find("]", index)
        if end < 0:
            raise ValueError("`[` is never closed")
        return _characters(pattern[index + 1 : end]), end + 1
    if character == "\\":
        if index + 1 == len(pattern):
            raise ValueError("`\\` escapes nothing")
        return re.escape(pattern[index + 1]), index + 2
    return re.escape(character), index + 1


def _characters(inside: str) -> str:
    if not inside:
        raise ValueError("`[]` is empty")
    if not re.fullmatch(r"(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9_.])+", inside, re.ASCII):
        raise ValueError(f"`[{inside}]` is not a set of letters and digits")
    for first, last in re.findall(r"([A-Za-z0-9])-([A-Za-z0-9])", inside):
        if first > last:
            raise ValueError(f"`{first}-{last}` is empty")
    return f"[{inside}]"
