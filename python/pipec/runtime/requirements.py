"""What a task requires of the machine, looked at before its first step."""

import os
from collections.abc import Mapping

from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.task import Task

_EVERYWHERE = "shell"


def check_requirements(task: Task, env: Mapping[str, str], cwd: str) -> None:
    """Every tool, and the program of the runtime, must be on the task's own PATH.

    Raises:
        RunError: some are not; the message names all of them.
    """
    needed = list(task.requires.tools)
    runtime = task.requires.runtime.partition("@")[0]
    if runtime and runtime != _EVERYWHERE:
        needed.append(runtime)
    missing = [tool for tool in dict.fromkeys(needed) if not has_program(tool, env, cwd)]
    if missing:
        names = ", ".join(f"`{tool}`" for tool in missing)
        verb = "is" if len(missing) == 1 else "are"
        raise RunError(
            Code.MISSING_TOOL, f"{names} {verb} required, and not on the PATH of the task"
        )


def has_program(name: str, env: Mapping[str, str], cwd: str) -> bool:
    """Whether a command of this name would start."""
    suffixes = ("", *env.get("PATHEXT", "").lower().split(";")) if os.name == "nt" else ("",)
    folders = [""] if "/" in name else env.get("PATH", os.defpath).split(os.pathsep)
    return any(
        _is_program(os.path.join(cwd, folder, name + suffix))
        for folder in folders
        for suffix in suffixes
    )


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
