"""Asks the engine about one task without running anything: for `why` and `key`."""

import json
from dataclasses import dataclass
from typing import Any

from pipec import _core
from pipec.cli.invocation import Invocation
from pipec.cli.options import RunOptions
from pipec.cli.run import open_request
from pipec.cli.trouble import reading_inputs
from pipec.codes import Code
from pipec.errors import PlanError, RunError
from pipec.ir.task import TaskId
from pipec.runtime.assess import foreseeable_values, open_engine
from pipec.runtime.inputs import FileValues
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.stores import planned, state_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An engine that has looked at a task and all it depends on.

    `decisions` holds what the engine can decide before anything runs, as it gives it.
    """

    task: TaskId
    request: RunRequest
    engine: _core.Engine
    extras: dict[str, list[list[str]]]
    decisions: dict[str, dict[str, Any]]


def look_at(invocation: Invocation, task: str) -> Look:
    """Looks at one task as it is now.

    Raises:
        SpecError: the pipeline file is missing or wrong.
        PlanError: the name means no task, or several.
        RunError: an input cannot be read.
    """
    request = open_request(invocation, RunOptions(targets=(task,), is_task=True))
    target = single_target(request, task)
    engine = open_engine(request, Services(), run_id="")
    values = FileValues(request.root, state_folder(request.root))
    extras: dict[str, list[list[str]]] = {}
    for planned_task in planned(request):
        try:
            found = foreseeable_values(request, planned_task, values)
        except RunError:
            # The engine leaves out what it is not told enough about.
            continue
        if found:
            extras[planned_task.id] = found
    with reading_inputs():
        decisions = json.loads(engine.assess(json.dumps(extras)))
    return Look(task=target, request=request, engine=engine, extras=extras, decisions=decisions)


def single_target(request: RunRequest, name: str) -> TaskId:
    """The one task of a request for one task.

    Raises:
        PlanError: the name is that of a matrix with several.
    """
    if len(request.plan.targets) > 1:
        raise PlanError(
            Code.AMBIGUOUS_TASK,
            f"`{name}` means {len(request.plan.targets)} tasks",
            help=tuple(f"name one of them, such as `{task}`" for task in request.plan.targets[:1]),
        )
    return request.plan.targets[0]
