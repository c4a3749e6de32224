"""What the operating system refused, in words."""

import os
import re

_NUMBER = re.compile(r" \(os error \d+\)")


def describe_refusal(error: OSError | str, root: str = "") -> str:
    """`out/a: Permission denied`; a path below `root` is relative to it."""
    if isinstance(error, OSError) and error.strerror:
        path = "" if error.filename is None else os.fsdecode(error.filename)
        text = f"{path}: {error.strerror}" if path else error.strerror
    else:
        text = _NUMBER.sub("", str(error))
    return text.removeprefix(f"{root}/") if root else text
