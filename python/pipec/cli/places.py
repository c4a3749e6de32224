"""Where a task is defined, as code review knows it: file and line."""

from pipec.cli.invocation import Invocation
from pipec.cli.report.repository import path_in_repository
from pipec.errors import PipecError
from pipec.frontend.load import load
from pipec.ir.task import TaskId


def find_task_place(invocation: Invocation, task: str) -> tuple[str, int] | None:
    """The path in the repository and the line, from 1; None if the file has changed too much."""
    try:
        found = invocation.find()
        loaded = load(found)
    except PipecError:
        return None
    origin = loaded.origins.get(TaskId(task))
    path = path_in_repository(found.path, shown=found.shown)
    if origin is None:
        return path, 1
    (span,) = loaded.document.spans([origin.route])
    if span is None:
        return path, 1
    return path, loaded.document.text.encode()[: span[0]].count(b"\n") + 1
