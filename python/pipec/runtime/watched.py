"""What a watch looks at: what decides about each task, and the folders in which that can change."""

import hashlib
import os
from collections.abc import Iterable, Iterator

from pipec.errors import RunError
from pipec.ir.inputs import FileValueInput
from pipec.ir.step import AgentStep, PythonStep
from pipec.ir.task import Task, TaskId
from pipec.runtime.assess import Assessment, file_label
from pipec.runtime.platforms import runs_here
from pipec.runtime.ready import code_token, code_values
from pipec.runtime.stores import planned


def tokens(assessment: Assessment) -> dict[TaskId, str]:
    """What decides about each task, as far as it can be known before something runs.

    Its key, or what stands for one that cannot be known, with all that decides beside it.
    """
    found: dict[TaskId, str] = {}
    for task in planned(assessment.request):
        if not task.steps or not runs_here(task, assessment.request.platform):
            continue
        decision = assessment.decision(task.id)
        if decision is not None and decision.key is not None:
            found[task.id] = full_token(decision.key, code_token(assessment.request.root, task))
        elif all(assessment.is_in_place(need) for need in task.depends_on):
            stand_in = _stand_in(assessment, task)
            if stand_in:
                found[task.id] = stand_in
        refusal = assessment.refusal(task.id)
        if refusal and task.id in found:
            # Under the same key: what may not run now may have run before, and the other way round.
            found[task.id] += f" refused: {refusal}"
    return found


def full_token(key: str, code: str) -> str:
    """What decides about a task with a key, and with `dynamic` steps of this code if it has any."""
    return f"{key} {code}" if code else key


def folders(assessment: Assessment, files: Iterable[str]) -> list[str]:
    """Every folder in which something could matter, absolute; those of these files as well."""
    request = assessment.request
    root = request.root
    inside = {os.fsdecode(folder) for folder in assessment.engine.folders()}
    of_files = [*files, *(os.path.join(root, file.path) for file in request.pipeline.env_files)]
    for task in planned(request):
        values = (item for item in task.structured_inputs if isinstance(item, FileValueInput))
        of_files += (os.path.join(root, item.file) for item in values)
        for step in task.steps:
            if isinstance(step, AgentStep) and step.prompt_file:
                of_files.append(os.path.join(root, step.prompt_file))
            elif isinstance(step, PythonStep):
                from pipec.runtime.modules import folders_of

                inside |= folders_of(root, step.function.partition(":")[0])
    listed = [os.path.join(root, folder) if folder else root for folder in sorted(inside)]
    return list(dict.fromkeys([root, *listed, *map(os.path.dirname, of_files)]))


def _stand_in(assessment: Assessment, task: Task) -> str:
    """Everything that can be known of a key without running anything; empty: not even that."""
    request = assessment.request
    try:
        files = sorted(assessment.engine.input_files(task.id))
        environment = assessment.engine.environment(task.id)
    except (OSError, ValueError):
        return ""
    parts = [repr(task), repr(files), repr(environment), repr(request.pipeline.commands)]
    parts += _values(assessment, task)
    for step in task.steps:
        if isinstance(step, PythonStep):
            parts.append(repr(code_values(request.root, step)))
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogateescape"))
    return f"instead of a key: {digest.hexdigest()}"


def _values(assessment: Assessment, task: Task) -> Iterator[str]:
    """The values in files, and what is asked of agents; or why that cannot be said."""
    for item in task.structured_inputs:
        if isinstance(item, FileValueInput):
            try:
                yield f"{file_label(item)} {assessment.file_values.value(item)}"
            except RunError as trouble:
                yield trouble.message
    for step in task.steps:
        if isinstance(step, AgentStep):
            from pipec.runtime.agents import agent_call

            try:
                yield repr(agent_call(assessment.request, step).identity)
            except RunError as trouble:
                yield trouble.message
