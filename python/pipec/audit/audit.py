"""Runs one task under tracing, and says what it does and does not declare."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipec.audit.findings import AuditFinding, Declared, compare
from pipec.audit.steps import Surroundings, run_steps
from pipec.audit.tracing import Trace, read_traces, tracing_command
from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.task import Task
from pipec.runtime.declared_secrets import redaction_of
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
        PlanError: the task has steps that are no commands.
    """
    host = request.host_env
    root = os.path.realpath(request.root)
    with tempfile.TemporaryDirectory(prefix="pipec-audit-") as scratch:
        folders: dict[int, str] = {}

        def wrap(index: int, argv: Sequence[str]) -> list[str]:
            folders[index] = os.path.join(scratch, str(index))
            os.mkdir(folders[index])
            return tracing_command(argv, os.path.join(folders[index], "t"), host)

        failure = None
        try:
            run_steps(
                task,
                engine,
                host,
                Surroundings(root=root),
                log=os.path.join(scratch, "log"),
                params=request.params,
                redaction=redaction_of(request.pipeline, host),
                wrap=wrap,
            )
        except RunError as error:
            if error.code is Code.CANNOT_TRACE:
                raise
            failure = error
        trace = Trace()
        for index, folder in folders.items():
            step = task.steps[index]
            cwd = os.path.join(root, getattr(step, "cwd", "") or task.cwd)
            _add(trace, read_traces(os.path.join(folder, "t"), os.path.normpath(cwd)))
    declared = Declared(
        root=root,
        pipeline=request.pipeline,
        task=task,
        inputs=frozenset(rules),
        rules=rules,
        home=os.path.realpath(host.get("HOME") or "/nonexistent"),
    )
    return Audited(findings=compare(declared, trace), failure=failure)


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
