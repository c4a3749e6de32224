"""Asks the engine about one task as the files are now. Runs nothing and changes nothing."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipec.clock import SystemClock
from pipec.errors import PipecError
from pipec.frontend.load import Loaded
from pipec.ir import codec
from pipec.ir.inputs import NamedRule, Rule
from pipec.ir.task import TaskId
from pipec.plan.select import select
from pipec.runtime.assess import Assessment, assess
from pipec.runtime.record import TaskRecord
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.summary import describe_verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What of the world around enters keys: the platform and the environment."""

    platform: str
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A task's inputs and what a run would do with it.

    `files` is the number of its input files, `by_rule` its patterns and named inputs as they are
    written, each with the number of files that it selects by itself; `outcome` is what a run would
    do, `why` in a few words.
    """

    files: int
    by_rule: Sequence[tuple[str, int]]
    outcome: str
    why: str
    key: str | None


def inspect(loaded: Loaded, path: str, task: TaskId, machine: Machine) -> Inspected | str:
    """What is known of a task of the pipeline file at `path`; text if that cannot be found out."""
    pipeline = loaded.pipeline
    try:
        request = RunRequest(
            root=os.path.dirname(path),
            pipeline=pipeline,
            pipeline_bytes=codec.encode(pipeline),
            plan=select(pipeline, [task], kind="task"),
            platform=machine.platform,
            host_env=machine.environ,
        )
        services = Services(clock=SystemClock(), handle_signals=False)
        assessment = assess(request, services, run_id="")
        return _describe(assessment, task)
    except PipecError as error:
        return error.message
    except (OSError, ValueError) as error:
        return f"its inputs cannot be read: {getattr(error, 'strerror', None) or error}"


def _describe(assessment: Assessment, task: TaskId) -> Inspected:
    pipeline = assessment.request.pipeline
    forecast = next(one for one in assessment.forecasts() if one.task == task)
    decision = forecast.decision
    record = TaskRecord(
        id=task, verdict=decision.verdict if decision else None, reason=forecast.reason or None
    )
    files = sum(1 for _, digest in assessment.engine.input_files(task) if digest)
    rules = (_written(rule) for rule in pipeline.tasks[task].inputs)
    return Inspected(
        files=files,
        by_rule=list(zip(rules, assessment.engine.selected(task), strict=True)),
        outcome=forecast.outcome,
        why=describe_verdict(record),
        key=decision.key if decision else None,
    )


def _written(rule: Rule | NamedRule) -> str:
    """A pattern or the name of a named input, as the file has it."""
    name = rule.glob if isinstance(rule, Rule) else rule.named
    return f"!{name}" if rule.exclude else name
