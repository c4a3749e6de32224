"""Starts a process so that no key can hold pipec up meanwhile."""

import subprocess
from collections.abc import Sequence
from typing import Any


def start_process(argv: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
    """`subprocess.Popen`, but by `fork`, never by `vfork`.

    By `vfork`, pipec sleeps until the program is there, and no signal reaches it. Ctrl-Z goes to
    both: the child would stop on its way, and neither it nor pipec would ever go on. After `fork`
    they stop, and `fg` continues both.

    Raises:
        OSError: it cannot be started.
    """
    # Python's documentation names this switch; there is no other. Whoever starts something else at
    # the same time gets a `fork` as well, which only takes longer.
    switches = vars(subprocess)
    before = switches["_USE_VFORK"]
    switches["_USE_VFORK"] = False
    try:
        return subprocess.Popen(argv, **options)  # noqa: S603 - what the pipeline says
    finally:
        switches["_USE_VFORK"] = before
