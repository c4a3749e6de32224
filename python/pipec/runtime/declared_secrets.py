"""The secrets that a pipeline declares, wherever it does: what any of its tasks could let out."""

from collections.abc import Iterator, Mapping

from pipec.ir.env import EnvValue, Secret
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task
from pipec.runtime.redaction import Redaction


def redaction_of(pipeline: Pipeline, host: Mapping[str, str]) -> Redaction:
    """Hides the secrets of a pipeline where no run has found out more about them."""
    return Redaction(declared_secrets(pipeline, host))


def declared_secrets(pipeline: Pipeline, host: Mapping[str, str]) -> Iterator[str]:
    """What the host has of every secret that anything in the pipeline declares.

    A task sees the host's environment: the secrets of the other tasks, too.
    """
    for source, destination in _declarations(pipeline):
        value = host.get(source) or host.get(destination)
        if value:
            yield value


def _declarations(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    """The variable that has the secret, and the one that has it where the host lacks the other."""
    yield from _of_variables(pipeline.env)
    for job in pipeline.jobs.values():
        yield from _of_variables(job.env)
    for task in pipeline.tasks.values():
        yield from _of_task(task)


def _of_task(task: Task) -> Iterator[tuple[str, str]]:
    yield from _of_variables(task.env)
    for name in task.requires.secrets:
        yield name, name
    for step in task.steps:
        yield from _of_variables(getattr(step, "env", {}))


def _of_variables(declared: Mapping[str, EnvValue]) -> Iterator[tuple[str, str]]:
    for name, value in declared.items():
        if isinstance(value, Secret):
            yield value.secret, name
