"""Decides whether an event starts a workflow, after GitHub's documentation and nothing of pipec's.

Patterns are matched character by character, without regular expressions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

ORDINARY_TYPES = {"pull_request": ["opened", "reopened", "synchronize"]}


def starts(on: Mapping[str, Any], event: Mapping[str, Any]) -> bool:  # noqa: PLR0911
    """Whether the `on` of a workflow file lets the event start it."""
    name = event["name"]
    if name == "schedule":
        return any(item["cron"] == event["cron"] for item in on.get("schedule", []))
    if name not in on:
        return False
    if name == "workflow_dispatch":
        return True
    wanted = on[name] or {}
    types = wanted.get("types", ORDINARY_TYPES.get(name))
    if types is not None and event.get("action") not in types:
        return False
    if name == "push":
        return pushed(wanted, event)
    if "branches" in wanted and not passes(wanted["branches"], event["base"]):
        return False
    return touched(wanted, event)


def pushed(wanted: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """A push: a filter of only one kind of ref leaves out the other kind."""
    is_tag = event["ref"].startswith("refs/tags/")
    name = event["ref"].split("/", 2)[2]
    if is_tag:
        # "Path filters are not evaluated for pushes of tags."
        if "tags" in wanted:
            return passes(wanted["tags"], name)
        return "branches" not in wanted
    if "branches" in wanted:
        return passes(wanted["branches"], name) and touched(wanted, event)
    return "tags" not in wanted and touched(wanted, event)


def touched(wanted: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether a changed file is one of those waited for."""
    if "paths" not in wanted:
        return True
    return any(passes(wanted["paths"], path) for path in event["changed"])


def passes(filters: Sequence[str], name: str) -> bool:
    """The last pattern that matches decides."""
    verdict = False
    for pattern in filters:
        if fits(pattern.removeprefix("!"), name):
            verdict = not pattern.startswith("!")
    return verdict


def fits(pattern: str, text: str, *, begins: bool = True) -> bool:  # noqa: PLR0911
    """Whether the pattern is the whole text. `begins`: a folder or a file begins with the pattern.

    Only there does `**/` stand for no folder at all: elsewhere the slash has to be one.
    """
    if not pattern:
        return not text
    if begins and pattern.startswith("**/"):
        after = [0, *(i + 1 for i in range(len(text)) if text[i] == "/")]
        return any(fits(pattern[3:], text[i:]) for i in after)
    if pattern.startswith("**"):
        return any(fits(pattern[2:], text[i:], begins=False) for i in range(len(text) + 1))
    if pattern.startswith("*"):
        segment = text.split("/", 1)[0]
        return any(fits(pattern[1:], text[i:], begins=False) for i in range(len(segment) + 1))
    one, rest = first(pattern)
    if rest.startswith("?"):
        without = fits(rest[1:], text, begins=False)
        return without or (bool(text) and text[0] in one and fits(rest[1:], text[1:], begins=False))
    if rest.startswith("+"):
        count = 0
        while count < len(text) and text[count] in one:
            count += 1
            if fits(rest[1:], text[count:], begins=False):
                return True
        return False
    is_slash = pattern.startswith("/")
    return bool(text) and text[0] in one and fits(rest, text[1:], begins=is_slash)


def first(pattern: str) -> tuple[str, str]:
    """The characters that may stand first, and the rest of the pattern."""
    if not pattern.startswith("["):
        return pattern[0], pattern[1:]
    inside, rest = pattern[1:].split("]", 1)
    characters = ""
    while inside:
        if inside[1:2] == "-":
            characters += "".join(map(chr, range(ord(inside[0]), ord(inside[2]) + 1)))
            inside = inside[3:]
        else:
            characters, inside = characters + inside[0], inside[1:]
    return characters, rest
