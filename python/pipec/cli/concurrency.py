"""How many tasks may run at once: what `--concurrency` says of the cores that this process may use."""

import os

from pipec.cli.options import UsageProblem

_QUOTA = "/sys/fs/cgroup/cpu.max"


def parse_concurrency(text: str, *, cores: int) -> int:
    """`auto` is every core, `50%` half of them, a number is itself; at least one.

    Raises:
        UsageProblem: it is none of these.
    """
    if text == "auto":
        return cores
    digits = text.removesuffix("%")
    if digits.isascii() and digits.isdigit() and int(digits) > 0:
        return max(1, cores * int(digits) // 100) if text.endswith("%") else int(digits)
    raise UsageProblem(
        f"`{text}` is no value for `--concurrency`",
        help=("write a number such as `4`, a share of the cores such as `50%`, or `auto`",),
    )


def usable_cores() -> int:
    """The cores that this process may use: those it is bound to, within its control group's quota."""
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
