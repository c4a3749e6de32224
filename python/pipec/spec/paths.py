"""Patterns and paths of the file, brought to one spelling, relative to the pipeline's folder."""

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

from pipec import _core
from pipec.codes import Code
from pipec.spec.base import refusal
from pipec.spec.scalars import text_like

_MAGIC = frozenset("*?[{")


@lru_cache(maxsize=4096)
def normal_pattern(written: str) -> str:
    """One spelling of a pattern: `./src/`, `/src` and `src` are the same; a `!` stays in front.

    Raises:
        PydanticCustomError: it is empty, cannot be parsed, or leaves the project.
    """
    excludes = written.startswith("!")
    segments = _segments(written[1:] if excludes else written, written)
    pattern = "/".join(segments) or "**"
    if written.endswith("/") and _MAGIC.intersection(segments[-1] if segments else ""):
        # `build*/` means folders only, and a folder means everything below it.
        pattern += "/**"
    problem = _core.pattern_problem(pattern)
    if problem is not None:
        raise refusal(Code.INVALID_PATTERN, f"`{written}` is not a pattern: {problem[0]}")
    return f"!{pattern}" if excludes else pattern


@lru_cache(maxsize=4096)
def normal_path(written: str) -> str:
    """One spelling of a folder or file inside the project; empty for the pipeline's own folder.

    Raises:
        PydanticCustomError: it is absolute or leaves the project.
    """
    if written.startswith("/"):
        message = f"`{written}` is an absolute path"
        advice = "write it relative to the pipeline's folder"
        raise refusal(Code.PATH_OUTSIDE_PROJECT, message, advice=advice)
    return "/".join(_segments(written, written))


def _segments(text: str, written: str) -> list[str]:
    if not text.strip():
        message = f"`{written}` names no file" if written else "this text is empty"
        raise refusal(Code.INVALID_PATTERN, message)
    segments: list[str] = []
    for segment in text.split("/"):
        if segment in {"", "."}:
            continue
        if segment != "..":
            segments.append(segment)
            continue
        if not segments:
            message = f"`{written}` leaves the project"
            advice = "only what is below the pipeline's folder can be named"
            raise refusal(Code.PATH_OUTSIDE_PROJECT, message, advice=advice)
        if _MAGIC.intersection(segments.pop()):
            message = f"`{written}` is not a pattern: `..` cannot follow `*`, `?`, `[` or `{{`"
            raise refusal(Code.INVALID_PATTERN, message)
    return segments


Pattern = Annotated[str, AfterValidator(normal_pattern), text_like(r"\S")]
Path = Annotated[str, AfterValidator(normal_path), text_like(r"^[^/]*[^/\s]")]
