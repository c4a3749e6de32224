"""Where results are kept: the folder of every store that the plan uses."""

import atexit
import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from pipec.ir import codec
from pipec.ir.task import Task, TaskId
from pipec.runtime.platforms import runs_here
from pipec.runtime.records import STATE_FOLDER
from pipec.runtime.request import RunRequest

SESSION_VARIABLE = "PIPEC_SESSION_STORE"
_DEFAULT_STORES: dict[str, dict[str, Any]] = {"file": {"file": {}}, "memory": {"memory": {}}}


def state_folder(root: str) -> str:
    """Where the engine keeps its index and its baselines."""
    return f"{root}/{STATE_FOLDER}/cache"


def planned(request: RunRequest) -> Iterator[Task]:
    """The tasks of the plan, in its order."""
    return (request.pipeline.tasks[task] for task in request.plan.tasks)


def store_roots(request: RunRequest) -> dict[str, dict[str, str]]:
    """The stores of the plan by name, as the engine takes them; makes those that do not stay."""
    roots: dict[str, dict[str, str]] = {"file": {"root": state_folder(request.root)}}
    for task in planned(request):
        passing = _passing_folder(request, task)
        if passing is not None:
            roots[passing] = {"root": passing}
        elif task.cache is not None:
            settings = next(iter(store_of(request, task.cache.store).values()))
            root = settings.get("root") or f"{STATE_FOLDER}/cache"
            roots[task.cache.store] = {"root": os.path.join(request.root, root)}
    return roots


def pipeline_for_engine(request: RunRequest) -> bytes:
    """The pipeline as the engine reads it: a store that does not stay is named after its folder.

    So what the engine remembers of one is not taken for another. Where a result is kept is no part
    of its key. A task that is not for this system is a group.
    """
    changed: dict[TaskId, Task] = {}
    if request.plan.only:
        # What the plan depends on is looked at too.
        changed = {
            task.id: _group_of(task)
            for task in request.pipeline.tasks.values()
            if not runs_here(task, request.platform)
        }
    for task in planned(request):
        passing = _passing_folder(request, task)
        if not runs_here(task, request.platform):
            changed[task.id] = _group_of(task)
        elif passing is not None and task.cache is not None:
            policy = "local" if task.cache.policy == "session" else task.cache.policy
            cache = dataclasses.replace(task.cache, store=passing, policy=policy)
            changed[task.id] = dataclasses.replace(task, cache=cache)
    if not changed:
        return request.pipeline_bytes
    tasks = {**request.pipeline.tasks, **changed}
    return codec.encode(dataclasses.replace(request.pipeline, tasks=tasks))


def _group_of(task: Task) -> Task:
    return Task(id=task.id, depends_on=task.depends_on)


def _passing_folder(request: RunRequest, task: Task) -> str | None:
    """Where the task's results are kept, if they go with the process or the session."""
    if task.cache is None:
        return None
    if task.cache.policy == "session":
        return session_folder(request)
    return memory_folder() if "memory" in store_of(request, task.cache.store) else None


def store_of(request: RunRequest, name: str) -> Mapping[str, Any]:
    """The kind of a store with its settings; the front end has seen to it that it exists."""
    return {**_DEFAULT_STORES, **request.pipeline.cache.stores}[name]


def memory_folder() -> str:
    """The folder of all memory stores of this process; it goes with the process."""
    return _scratch_folder("memory")


def session_folder(request: RunRequest) -> str:
    """The folder of the session: that of an outer pipec, else our own, which goes with us."""
    return request.host_env.get(SESSION_VARIABLE) or _scratch_folder("session")


def scratch_folders() -> tuple[str, ...]:
    """The folders that this process made and has to remove."""
    return tuple(_scratch.values())


_scratch: dict[str, str] = {}


def _scratch_folder(purpose: str) -> str:
    if purpose not in _scratch:
        # Not at the top: most runs have no such store.
        import shutil
        import tempfile

        _scratch[purpose] = tempfile.mkdtemp(prefix=f"pipec-{purpose}-")
        atexit.register(shutil.rmtree, _scratch[purpose], ignore_errors=True)
    return _scratch[purpose]
