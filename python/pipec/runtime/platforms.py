"""Which tasks are meant for this operating system."""

from pipec.ir.task import Task

# What Python calls a system, and what people do.
_NAMES = {"darwin": "macos", "win32": "windows"}


def runs_here(task: Task, platform: str) -> bool:
    """Whether the task is meant for this operating system; `platform` is such as `linux-x86_64`."""
    system = platform.partition("-")[0]
    return not task.platforms or _NAMES.get(system, system) in task.platforms
