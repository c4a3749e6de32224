"""How many tasks may run at once: what `--concurrency` says of the usable cores."""

import os

from pipec.cli.options import UsageError

_QUOTA = "/sys/fs/cgroup/cpu.max"


def parse_concurrency(text: str, *, cores: int) -> int:
    """`auto` is every core, `50%` half of them, a number is itself; at least one.

    Raises:
        UsageError: it is none of these.
    """
    if text == "auto":
        return cores
    digits = text.removesuffix("%")
    if digits.isascii() and digits.isdigit() and int(digits) > 0:
        return max(1, cores * int(digits) // 100) if text.endswith("%") else int(digits)
    raise UsageError(
        f"`{text}` is no value for `--concurrency`",
        help=("write a number such as `4`, a share of the cores such as `50%`, or `auto`",),
    )


def usable_cores() -> int:
    """The cores that this process is bound to, within the quota of its control group."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        with open(_QUOTA, encoding="ascii") as file:
            quota, period = file.read().split()
    except (OSError, ValueError):
        return cores
    if quota == "max":
        return cores
    return max(1, min(cores, int(quota) // int(period)))
