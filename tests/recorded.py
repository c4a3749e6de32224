"""Runs pipec in a folder and reads from the record what it did."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as it recorded itself: task → status, and the tasks that executed at least one step."""

    exit_code: int
    status: dict[str, str]
    executed: frozenset[str]
    text: str


def record_of(folder: Path, *words: str, env: Mapping[str, str]) -> Recorded:
    """Runs `pipec run …` in a folder and gives what its `execution.json` says."""
    runs = folder / ".pipec" / "runs"
    before = set(runs.glob("*/execution.json"))
    done = subprocess.run(
        [sys.executable, "-m", "pipec", "run", *words],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    text = done.stdout + done.stderr
    new = set(runs.glob("*/execution.json")) - before
    assert len(new) == 1, f"{len(new)} records were written:\n{text}"
    tasks = json.loads(new.pop().read_text(encoding="utf-8"))["tasks"]
    return Recorded(
        done.returncode,
        {task["id"]: task["status"] for task in tasks},
        frozenset(task["id"] for task in tasks if task.get("attempts")),
        text,
    )
