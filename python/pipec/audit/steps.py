"""Runs the steps of one task by themselves: no cache, no record, in whichever folder."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipec.codes import Code
from pipec.errors import PlanError, RunError
from pipec.ir.step import ArgvStep, ShellStep, step_text
from pipec.ir.task import Task
from pipec.runtime import environment
from pipec.runtime.durations import spell_duration
from pipec.runtime.logs import read_tail
from pipec.runtime.redaction import Redaction
from pipec.runtime.step import quote_command

if TYPE_CHECKING:
    from pipec._core import Engine

_TAIL = 4096
_WHOLE_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a task finds around it besides its files.

    `env` is laid over what the task would see, below what it declares. `umask` None: ours. `cpus`:
    those it may use, empty for all.
    """

    root: str
    env: Mapping[str, str] = field(default_factory=dict)
    umask: int | None = None
    cpus: frozenset[int] = frozenset()


Wrap = Callable[[int, Sequence[str]], list[str]]
"""The command that starts a step instead, by the step's index."""


def run_steps(
    task: Task,
    engine: "Engine",
    host: Mapping[str, str],
    around: Surroundings,
    *,
    log: str,
    params: Mapping[str, str],
    redaction: Redaction,
    wrap: Wrap = lambda _, argv: list(argv),
) -> None:
    """Runs every step; what they print goes to the file `log`, without secrets left in messages.

    Raises:
        PlanError: the task has steps that are no commands.
        RunError: a step failed, could not be started, or took too long.
    """
    declared = {name: value for name, value, _ in engine.environment(task.id)}
    told = environment.facts(task, root=around.root, run_id="", attempt=1, params=params)
    seen = {**environment.host_part(task, host), **around.env, **declared, **told}
    with open(log, "wb") as output:
        for index, step in enumerate(task.steps):
            if not isinstance(step, (ShellStep, ArgvStep)):
                message = f"`{task.id}` has a step of the kind `{step.kind}`, which only a run has"
                help_ = ('a step that is a command, `run = "…"`, can be started by itself',)
                raise PlanError(Code.NOT_SUPPORTED, message, help=help_)
            env = dict(seen)
            if step.env:
                env |= {name: value for name, value, _ in engine.environment(task.id, index)}
            argv = (
                step.argv
                if isinstance(step, ArgvStep)
                else (*(step.shell or task.shell), step.command)
            )
            cwd = os.path.normpath(os.path.join(around.root, step.cwd or task.cwd))
            limit_ms = min(step.timeout_ms or _WHOLE_MS, task.timeout_ms or _WHOLE_MS)
            text = quote_command(redaction.text(step_text(step)))
            code = _run(
                wrap(index, argv),
                cwd=cwd,
                env=env,
                around=around,
                output=output.fileno(),
                limit_ms=limit_ms,
                text=text,
            )
            if code:
                tail = redaction.text(read_tail(log, _TAIL).decode("utf-8", "replace"))
                ending = (
                    f"ended with exit status {code}" if code > 0 else f"ended by signal {-code}"
                )
                raise RunError(
                    Code.STEP_FAILED,
                    f"{task.id}: {text} {ending}",
                    help=tuple(tail.splitlines()[-5:]),
                )


def _run(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    around: Surroundings,
    output: int,
    limit_ms: int,
    text: str,
) -> int:
    with _bound_to(around.cpus):
        try:
            process = subprocess.Popen(  # noqa: S603 - the task's own command
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=-1 if around.umask is None else around.umask,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            message = f"{text} cannot be started: {reason}"
            raise RunError(Code.STEP_NOT_STARTED, message) from error
    try:
        return process.wait(limit_ms / 1000)
    except subprocess.TimeoutExpired:
        message = f"{text} was ended: it may take {spell_duration(limit_ms)}"
        raise RunError(Code.TIMED_OUT, message) from None
    finally:
        # Whatever ends this, and whatever the step left in the background, goes.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def _bound_to(cpus: frozenset[int]) -> Iterator[None]:
    """A child inherits what its parent is bound to at its start."""
    if not cpus or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
