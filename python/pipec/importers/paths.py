"""Paths and patterns of a folder, as paths and patterns of the whole project."""

import posixpath
import re


def inside(folder: str, pattern: str) -> str:
    """A pattern of a folder, as one of the project: a `!` stays in front."""
    if not folder or folder == ".":
        return pattern
    if pattern.startswith("!"):
        return f"!{inside(folder, pattern[1:])}"
    return f"{folder}/{pattern.removeprefix('./').lstrip('/')}"


def joined(folder: str, path: str) -> str:
    """A path of a folder, as one of the project; empty for the project's own folder."""
    normal = posixpath.normpath(posixpath.join(folder or ".", path or "."))
    return "" if normal == "." else normal


def below(folder: str) -> str:
    """The pattern of everything in a folder."""
    return f"{folder}/**" if folder else "**"


def matcher(pattern: str) -> re.Pattern[str]:
    """What a glob of these tools matches: `*`, `**`, `?`, `{a,b}`; the rest stands for itself."""
    parts: list[str] = []
    depth = 0
    for piece in re.findall(r"\*\*/|\*\*|\*|\?|[{},]|[^*?{},]+", pattern):
        if piece == "**/":
            parts.append("(?:.*/)?")
        elif piece == "**":
            parts.append(".*")
        elif piece == "*":
            parts.append("[^/]*")
        elif piece == "?":
            parts.append("[^/]")
        elif piece == "{" and "}" in pattern:
            parts.append("(?:")
            depth += 1
        elif piece == "," and depth:
            parts.append("|")
        elif piece == "}" and depth:
            parts.append(")")
            depth -= 1
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts) + ")" * depth)
