"""Globs as the language's page describes them, matched one path at a time without any memory."""

import re
from functools import cache

PATH = tuple[str, ...]
"""The components of a path; bytes that are no UTF-8 as surrogates."""

SPECIAL = re.compile(r"(?<!\\)(?:\\\\)*[*?\[]")


@cache
def sequences(pattern: str) -> tuple[PATH, ...]:
    """The components of everything that the pattern's braces stand for."""
    return tuple(_components(text) for text in _expand(pattern))


@cache
def is_literal(sequence: PATH) -> bool:
    """Whether nothing in it is magic: it names a file, or a folder with everything below."""
    return not any(SPECIAL.search(component) for component in sequence)


def literal_path(sequence: PATH) -> PATH:
    """The path that a sequence without magic names."""
    return tuple(re.sub(r"\\(.)", r"\1", component) for component in sequence)


def matches(pattern: str, path: PATH) -> bool:
    """Whether the pattern names this file, or a folder above it without magic."""
    return any(_matches(sequence, path) for sequence in sequences(pattern))


def reaches_below(pattern: str, folder: PATH) -> bool:
    """Whether the pattern could name something below this folder."""
    return any(
        _leads_below(sequence, folder, literal=is_literal(sequence))
        for sequence in sequences(pattern)
    )


def _matches(sequence: PATH, path: PATH) -> bool:
    if is_literal(sequence):
        names = literal_path(sequence)
        return path[: len(names)] == names
    return _fits(sequence, path)


def _fits(sequence: PATH, path: PATH) -> bool:
    if not sequence:
        return not path
    if sequence == ("**",):
        return bool(path)
    if sequence[0] == "**":
        return any(_fits(sequence[1:], path[skipped:]) for skipped in range(len(path) + 1))
    return bool(path) and _fits_one(sequence[0], path[0]) and _fits(sequence[1:], path[1:])


def _leads_below(sequence: PATH, folder: PATH, *, literal: bool) -> bool:
    if not folder:
        return literal or bool(sequence)
    if not sequence:
        return literal
    if sequence[0] == "**":
        return True
    return _fits_one(sequence[0], folder[0]) and _leads_below(
        sequence[1:], folder[1:], literal=literal
    )


def _fits_one(component: str, name: str) -> bool:
    return _expression(component).fullmatch(name) is not None


@cache
def _expression(component: str) -> re.Pattern[str]:
    """One component as a regular expression."""
    text, at = "", 0
    while at < len(component):
        char = component[at]
        if char == "*":
            text += ".*"
        elif char == "?":
            text += "."
        elif char == "\\":
            at += 1
            text += re.escape(component[at])
        elif char == "[":
            end = _class_end(component, at)
            text += _class(component[at + 1 : end])
            at = end
        else:
            text += re.escape(char)
        at += 1
    return re.compile(text, re.DOTALL)


def _class(inside: str) -> str:
    negated = inside[0] in "!^"
    members = re.findall(r"\\?.", inside[negated:], re.DOTALL)
    text, at = "", 0
    while at < len(members):
        low = members[at][-1]
        if at + 2 < len(members) and members[at + 1] == "-":
            high = members[at + 2][-1]
            at += 3
            if high < low:
                continue
            text += f"{re.escape(low)}-{re.escape(high)}"
        else:
            text += re.escape(low)
            at += 1
    if not text:
        return "." if negated else "(?!)"
    return f"[{'^' if negated else ''}{text}]"


def _class_end(text: str, opened: int) -> int:
    at = opened + 1
    if text[at] in "!^":
        at += 1
    if text[at] == "]":
        at += 1
    while text[at] != "]":
        at += 2 if text[at] == "\\" else 1
    return at


def _expand(text: str) -> list[str]:
    depth, start, commas, at = 0, 0, [0], 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "[":
            at = _class_end(text, at)
        elif char == "{":
            depth += 1
            if depth == 1:
                start, commas = at, [at]
        elif char == "," and depth == 1:
            commas.append(at)
        elif char == "}":
            depth -= 1
            if depth == 0:
                ends = [*commas[1:], at]
                middles = [text[a + 1 : b] for a, b in zip(commas, ends, strict=True)]
                return [
                    whole
                    for middle in middles
                    for whole in _expand(text[:start] + middle + text[at + 1 :])
                ]
        at += 1
    return [text]


def _components(text: str) -> PATH:
    names = tuple(name for name in text.split("/") if name not in ("", "."))
    if text.endswith("/") and not is_literal(names):
        names = (*names, "**")
    return names
