"""How many tasks may run at once: what `--concurrency` says of the usable cores."""

import os
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """The processor as this process may use it.

    `bound`: cores it may run on, by its affinity if `has_affinity`, else all of the machine's.
    `quota`: whole cores that its control group allows, None without a limit.
    """

    bound: int
    has_affinity: bool
    quota: int | None = None

    @property
    def usable(self) -> int:
        """How many tasks can really run at once; at least one."""
        return self.bound if self.quota is None else max(1, min(self.bound, self.quota))


def usable_cores() -> int:
    """The cores that this process is bound to, within the quota of its control group."""
    return look_at_cores().usable


def look_at_cores(quota_file: str = _QUOTA) -> Cores:
    """What affinity and control group leave of the machine."""
    has_affinity = hasattr(os, "sched_getaffinity")
    bound = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    try:
        with open(quota_file, encoding="ascii") as file:
            quota, period = file.read().split()
        limit = None if quota == "max" else int(quota) // int(period)
    except (OSError, ValueError, ZeroDivisionError):
        limit = None
    return Cores(bound=bound, has_affinity=has_affinity, quota=limit)
