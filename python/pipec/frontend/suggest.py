"""The name that was probably meant."""

import difflib
import re
from collections.abc import Iterable

_MOST_NAMES = 5000


def nearest(written: str, known: Iterable[str]) -> str | None:
    """The known name that is most like the written one, if one is like it at all."""
    names = list(known)[:_MOST_NAMES]
    plain = _plain(written)
    for name in names:
        # camelCase and snake_case of a kebab-case name, or another case of any name.
        if _plain(name) == plain:
            return name
    close = difflib.get_close_matches(written, names, n=1)
    return close[0] if close else None


def did_you_mean(written: str, known: Iterable[str]) -> tuple[str, ...]:
    """The same as help for a finding: one sentence, or none."""
    name = nearest(written, known)
    return () if name is None else (f"did you mean `{name}`?",)


def _plain(name: str) -> str:
    return re.sub(r"[-_]", "", name).casefold()
