"""Which tasks a change concerns: by their inputs, by their definition, by what they depend on."""

import os
from collections.abc import Iterator, Mapping, Sequence

from pipec.audit.patterns import selected
from pipec.cli.documents import AffectedReason, AffectedTask
from pipec.cli.patterns import selecting_patterns
from pipec.ir.inputs import FileValueInput
from pipec.ir.pipeline import Pipeline
from pipec.ir.step import AgentStep, PythonStep
from pipec.ir.task import Task, TaskId
from pipec.plan.change import Difference
from pipec.plan.select import topological_order
from pipec.runtime.modules import modules_of

_NEVER_INPUTS = frozenset({".git", ".pipec", "node_modules"})


def affected_tasks(
    root: str, pipeline: Pipeline, changed: Sequence[str], difference: Difference
) -> tuple[AffectedTask, ...]:
    """Each task that may have to run again, after those that it depends on, with its reasons.

    `changed` are files relative to the root; `difference` is that from the pipeline before.
    """
    files = [path for path in changed if not _NEVER_INPUTS & set(path.split("/"))]
    definitions = dict(_definitions(difference))
    found: dict[TaskId, AffectedTask] = {}
    for name in topological_order(pipeline, set(pipeline.tasks)):
        task = pipeline.tasks[name]
        reasons = [
            *(AffectedReason(kind="file", path=path, pattern=pattern)
              for path, pattern in _inputs(root, pipeline, task, files)),
            *([definitions[name]] if name in definitions else ()),
            *(AffectedReason(kind="dependency", task=need)
              for need in task.depends_on if need in found),
        ]  # fmt: skip
        if reasons:
            found[name] = AffectedTask(id=name, reasons=tuple(reasons))
    return tuple(found.values())


def _definitions(difference: Difference) -> Iterator[tuple[TaskId, AffectedReason]]:
    for change in difference.changes:
        if change.action == "added" and change.place[:1] == ("tasks",) and len(change.place) == 2:  # noqa: PLR2004
            yield TaskId(change.place[1]), AffectedReason(kind="definition")
    for key in difference.keys:
        if components := (*key.changed, *key.possible):
            yield TaskId(key.task), AffectedReason(kind="definition", components=components)


def _inputs(
    root: str, pipeline: Pipeline, task: Task, files: Sequence[str]
) -> Iterator[tuple[str, str | None]]:
    """Each file that is part of the task's key, with the pattern that makes it an input, if any."""
    own = selected(task.outputs, files)
    by_pattern = selecting_patterns(pipeline, task, [path for path in files if path not in own])
    others = _named_files(root, pipeline, task)
    for path in files:
        if path in by_pattern:
            yield path, by_pattern[path]
        elif path in others:
            yield path, others[path]


def _named_files(root: str, pipeline: Pipeline, task: Task) -> Mapping[str, str | None]:
    """Files that no pattern selects: of values, prompts, variables, code that is called."""
    found: dict[str, str | None] = {file.path: None for file in pipeline.env_files}
    for item in task.structured_inputs:
        if isinstance(item, FileValueInput):
            found[item.file] = f"{item.file}: {item.key}"
    for step in task.steps:
        if isinstance(step, AgentStep) and step.prompt_file:
            found[os.path.normpath(step.prompt_file)] = None
        elif isinstance(step, PythonStep):
            found |= dict.fromkeys(modules_of(root, step.function.partition(":")[0]))
    return found
