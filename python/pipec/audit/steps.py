"""Runs the steps of one task by themselves: no cache, no record, in whichever folder."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from pipec.audit.functions import call_under
from pipec.audit.kinds import Kind
from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.step import AgentStep, PythonStep, Step, step_text
from pipec.ir.task import Task
from pipec.runtime import environment
from pipec.runtime.agents import AgentCall
from pipec.runtime.answer_file import AnswerFile
from pipec.runtime.call_step import fingerprint
from pipec.runtime.command_step import argv_of
from pipec.runtime.durations import spell_duration
from pipec.runtime.logs import read_tail
from pipec.runtime.python_step import Answer, Call
from pipec.runtime.ready import ReadyStep, dynamic_steps, ready_steps
from pipec.runtime.redaction import Redaction
from pipec.runtime.request import RunRequest
from pipec.runtime.step import quote_command

if TYPE_CHECKING:
    from pipec._core import Engine

_TAIL = 4096
_WHAT_TO_TYPE = {
    Code.STEP_MODULE_MISSING: (
        "`tools.steps:report` is the function `report` of the file `tools/steps.py`",
    ),
}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A process that a step is about to start."""

    argv: tuple[str, ...]
    cwd: str
    kind: Kind


Wrap = Callable[[Started], list[str]]
"""The command that is started instead."""


def run_steps(
    request: RunRequest,
    task: Task,
    engine: "Engine",
    around: Surroundings,
    *,
    log: str,
    redaction: Redaction,
    wrap: Wrap = lambda started: list(started.argv),
) -> None:
    """Runs every step; what they print goes to the file `log`, without secrets left in messages.

    Raises:
        RunError: a step failed, could not be started, took too long, or may not run.
    """
    with open(log, "wb") as output:
        attempt = _Attempt(
            request, task, engine, around, output=output, redaction=redaction, wrap=wrap
        )
        returned = {number: attempt.commands_of(step) for number, step in dynamic_steps(task)}
        try:
            steps = ready_steps(request, task, returned)
        except RunError as refusal:
            raise RunError(refusal.code, f"{task.id}: {refusal.message}") from refusal
        for ready in steps:
            attempt.run(ready)


class _Attempt:
    def __init__(
        self,
        request: RunRequest,
        task: Task,
        engine: "Engine",
        around: Surroundings,
        *,
        output: BinaryIO,
        redaction: Redaction,
        wrap: Wrap,
    ) -> None:
        host = request.host_env
        declared = {name: value for name, value, _ in engine.environment(task.id)}
        told = environment.facts(
            task, root=around.root, run_id="", attempt=1, params=request.params
        )
        self._env = {**environment.host_part(task, host), **around.env, **declared, **told}
        self._request = request
        self._task = task
        self._engine = engine
        self._around = around
        self._output = output
        self._redaction = redaction
        self._wrap = wrap

    def commands_of(self, step: PythonStep) -> list[dict[str, Any]]:
        """What a `dynamic` function returns."""
        answer = self._call(step, self._env, self._folder(step))
        assert answer.steps is not None, "a function that ended well has returned commands"
        return answer.steps

    def run(self, ready: ReadyStep) -> None:
        """Runs a step to its end, or does what the policy puts in its place."""
        step = ready.step
        if ready.ruling is not None and ready.ruling.mock is not None:
            mock = ready.ruling.mock
            self._output.write(f"{mock.stdout}{mock.stderr}".encode())
            self._output.flush()
            self._judge(step, mock.code)
            return
        env = dict(self._env)
        if getattr(step, "env", None):
            values = self._engine.environment(self._task.id, ready.number)
            env |= {name: value for name, value, _ in values}
        env |= ready.env
        cwd = self._folder(step)
        if isinstance(step, PythonStep):
            self._call(step, env, cwd)
        elif isinstance(step, AgentStep):
            assert ready.agent is not None
            self._ask(step, ready.agent, env, cwd)
        else:
            started = Started(argv=argv_of(step, self._task), cwd=cwd, kind="command")
            self._judge(step, self._start(step, started, env))

    def _call(self, step: PythonStep, env: Mapping[str, str], cwd: str) -> Answer:
        call = Call(
            step=step,
            task_id=self._task.id,
            run_id="",
            root=self._around.root,
            cwd=cwd,
            env=env,
            shell=self._task.shell,
            runtime=self._task.requires.runtime,
        )

        def start(argv: Sequence[str], descriptor: int) -> int:
            started = Started(argv=tuple(argv), cwd=cwd, kind=step.kind)
            return self._start(step, started, env, pass_fds=(descriptor,))

        code, answer = call_under(
            start, call, lambda: fingerprint(self._engine, self._request.pipeline)
        )
        if answer.trouble is not None:
            trouble, message = answer.trouble
            raise RunError(
                trouble,
                f"{self._task.id}: {self._redaction.text(message)}",
                help=_WHAT_TO_TYPE.get(trouble, ()),
            )
        self._judge(step, code)
        if not answer.ended or (step.kind == "dynamic" and answer.steps is None):
            message = f"{self._text(step)} ended before its function returned"
            raise RunError(Code.STEP_FAILED, f"{self._task.id}: {message}")
        return answer

    def _ask(self, step: AgentStep, agent: AgentCall, env: Mapping[str, str], cwd: str) -> None:
        started = Started(argv=agent.command, cwd=cwd, kind="agent")
        env = {**env, **agent.environment}
        with tempfile.TemporaryFile() as prompt, tempfile.TemporaryFile() as said:
            prompt.write(agent.prompt)
            prompt.seek(0)
            code = self._start(step, started, env, stdin=prompt.fileno(), stdout=said.fileno())
            said.seek(0)
            answer = said.read()
        self._output.write(answer)
        self._output.flush()
        self._judge(step, code)
        with AnswerFile(cwd, step.stdout_to) as file:
            file.write(answer)
            file.keep()

    def _start(
        self,
        step: Step,
        started: Started,
        env: Mapping[str, str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
        pass_fds: Sequence[int] = (),
    ) -> int:
        return _run(
            self._wrap(started),
            cwd=started.cwd,
            env=env,
            around=self._around,
            stdin=stdin,
            stdout=self._output.fileno() if stdout is None else stdout,
            stderr=self._output.fileno(),
            pass_fds=pass_fds,
            limit_ms=min(step.timeout_ms or _WHOLE_MS, self._task.timeout_ms or _WHOLE_MS),
            text=self._text(step),
        )

    def _judge(self, step: Step, code: int) -> None:
        """
        Raises:
            RunError: the exit status is that of a failure.
        """
        if not code:
            return
        tail = self._redaction.text(read_tail(self._output.name, _TAIL).decode("utf-8", "replace"))
        ending = f"ended with exit status {code}" if code > 0 else f"ended by signal {-code}"
        raise RunError(
            Code.STEP_FAILED,
            f"{self._task.id}: {self._text(step)} {ending}",
            help=tuple(tail.splitlines()[-5:]),
        )

    def _text(self, step: Step) -> str:
        return quote_command(self._redaction.text(step_text(step)))

    def _folder(self, step: Step) -> str:
        folder = getattr(step, "cwd", "") or self._task.cwd
        return os.path.normpath(os.path.join(self._around.root, folder))


def _run(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    around: Surroundings,
    stdin: int,
    stdout: int,
    stderr: int,
    pass_fds: Sequence[int],
    limit_ms: int,
    text: str,
) -> int:
    with _bound_to(around.cpus):
        try:
            process = subprocess.Popen(  # noqa: S603 - the task's own command
                argv,
                cwd=cwd,
                env=env,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=pass_fds,
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
