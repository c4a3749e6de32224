"""Comments in lines that fit the page."""

import re
import textwrap

from pipec.frontend.layout.values import COLUMNS

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def wrap(text: str) -> list[str]:
    """The lines of a comment, without the mark before each."""
    plain = _UNPRINTABLE.sub(" ", text)
    return textwrap.wrap(plain, COLUMNS - 4, break_long_words=False, break_on_hyphens=False)
