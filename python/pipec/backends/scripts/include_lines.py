"""One line of a file that includes another, which is generated whole."""

import re
from collections.abc import Callable, Sequence

from pipec.backends.scripts.port import Edited, Made


def with_include(
    text: str,
    line: str,
    *,
    is_included: Callable[[str], bool],
    is_wanted: bool,
    made: Sequence[Made],
) -> Edited:
    """The text with the line at its end if it is wanted, and without it if it was ours.

    A file that includes the other already stays as it is. `is_included` tells such a line, and
    `made` whether it is ours.
    """
    mark = Made(line)
    lines = re.split(r"(?<=\n)", text)
    if mark in made and not is_wanted:
        for index in range(len(lines) - 1, -1, -1):
            if lines[index].rstrip("\r\n") == line:
                return Edited(_without(lines, index))
        return Edited(text)
    if not is_wanted:
        return Edited(text)
    if any(is_included(item) for item in lines):
        return Edited(text, tuple(made))
    newline = "\r\n" if re.search(r"\r\n", text) else "\n"
    is_ended = not text or text.endswith("\n")
    edited = f"{text}{line}{newline}" if is_ended else f"{text}{newline}{line}"
    return Edited(edited, (mark,))


def rule_names(text: str, asked: Sequence[str], rule: str) -> dict[str, str | None]:
    """Which of these names have a rule in the text; `rule` is its pattern around `{name}`."""
    return {
        name: None
        for name in asked
        if re.search(rule.replace("{name}", re.escape(name)), text, re.MULTILINE)
    }


def _without(lines: list[str], index: int) -> str:
    before, line, after = lines[:index], lines[index], lines[index + 1 :]
    if not line.endswith("\n") and before:
        before[-1] = before[-1].removesuffix("\n").removesuffix("\r")
    return "".join([*before, *after])
