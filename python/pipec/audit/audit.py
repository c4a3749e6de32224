"""Runs one task under tracing, and says what it does and does not declare."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipec.audit.findings import AuditFinding, Declared, compare
from pipec.audit.kinds import counted
from pipec.audit.steps import Started, Surroundings, run_steps
from pipec.audit.tracing import Trace, read_traces, tracing_command
from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.step import AgentStep, PythonStep
from pipec.ir.task import Task
from pipec.runtime.declared_secrets import redaction_of
from pipec.runtime.modules import modules_of
from pipec.runtime.request import RunRequest

if TYPE_CHECKING:
    from pipec._core import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What was found; `failure`: what ended the task before its end."""

    findings: tuple[AuditFinding, ...]
    failure: RunError | None


def audit(request: RunRequest, task: Task, engine: "Engine", rules: Mapping[str, str]) -> Audited:
    """Runs the task's steps under tracing. Its dependencies are in place, and nobody else runs.

    `rules` maps each input file to the pattern that selects it.

    Raises:
        RunError: nothing can be traced here.
    """
    host = request.host_env
    root = os.path.realpath(request.root)
    with tempfile.TemporaryDirectory(prefix="pipec-audit-") as scratch:
        traced: list[tuple[str, Started]] = []

        def wrap(started: Started) -> list[str]:
            folder = os.path.join(scratch, str(len(traced)))
            os.mkdir(folder)
            traced.append((folder, started))
            return tracing_command(started.argv, os.path.join(folder, "t"), host)

        failure = None
        try:
            run_steps(
                request,
                task,
                engine,
                Surroundings(root=root),
                log=os.path.join(scratch, "log"),
                redaction=redaction_of(request.pipeline, host),
                wrap=wrap,
            )
        except RunError as error:
            if error.code is Code.CANNOT_TRACE:
                raise
            failure = error
        trace = Trace()
        for folder, started in traced:
            seen = read_traces(os.path.join(folder, "t"), started.cwd)
            _add(trace, counted(seen, started.kind, root))
        # The answer of an agent is written here, by us.
        trace.written |= set(_answers(task, root))
    declared = Declared(
        root=root,
        pipeline=request.pipeline,
        task=task,
        inputs=frozenset(rules) | _in_key(task, root),
        rules=rules,
        home=os.path.realpath(host.get("HOME") or "/nonexistent"),
    )
    return Audited(findings=compare(declared, trace), failure=failure)


def _answers(task: Task, root: str) -> Iterator[str]:
    for step in task.steps:
        if isinstance(step, AgentStep) and step.stdout_to:
            yield os.path.normpath(os.path.join(root, task.cwd, step.stdout_to))


def _in_key(task: Task, root: str) -> frozenset[str]:
    """The files that a key holds although no input selects them: code that is called, prompts."""
    found: set[str] = set()
    for step in task.steps:
        if isinstance(step, PythonStep):
            found |= modules_of(root, step.function.partition(":")[0]).keys()
        elif isinstance(step, AgentStep) and step.prompt_file:
            found.add(os.path.normpath(step.prompt_file))
    return frozenset(found)


def _add(trace: Trace, more: Trace) -> None:
    """Adds what a later step did: what an earlier one wrote is not read from outside."""
    trace.read |= more.read - trace.written
    trace.removed |= more.removed - trace.written
    trace.followed |= more.followed - trace.written
    trace.looked_at |= more.looked_at
    trace.written |= more.written
    trace.made |= more.made
    trace.executed |= more.executed
    trace.connected |= more.connected
    trace.bound |= more.bound
