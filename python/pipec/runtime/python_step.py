"""Calls the function of a Python step in a child process, and gives what it said."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipec.codes import Code
from pipec.ir.shell import SHELLS
from pipec.ir.step import PythonStep
from pipec.ports.executor import Command, Exit, Sink
from pipec.runtime.process import Processes

_CHILD = os.path.join(os.path.dirname(os.path.dirname(__file__)), "steps", "child.py")
_LONGEST_LINE = 64 * 1024 * 1024
_LAST_WORDS_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What to call, and what the function is told. `runtime`: what the task requires."""

    step: PythonStep
    task_id: str
    run_id: str
    root: str
    cwd: str
    env: Mapping[str, str]
    shell: tuple[str, ...]
    runtime: str = ""


@dataclass(slots=True, kw_only=True)
class Answer:
    """What the function said. `ended`: it returned, or ended its process on purpose."""

    ended: bool = False
    steps: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    trouble: tuple[Code, str] | None = None


async def call_function(
    call: Call,
    processes: Processes,
    sink: Sink,
    *,
    timeout_s: float | None,
    halt: asyncio.Event,
    fingerprint: Callable[[], str],
) -> tuple[Exit, Answer]:
    """Calls the function; `sink` gets what it prints. `fingerprint` answers, if it is asked for.

    Raises:
        OSError: there is no such Python, or no process can be started.
    """
    ours, theirs = socket.socketpair()
    answer = Answer()
    try:
        reader, writer = await asyncio.open_connection(sock=ours, limit=_LONGEST_LINE)
        try:
            talk = asyncio.ensure_future(_talk(call, answer, reader, writer, fingerprint))
            try:
                ended = await processes.run(
                    Command(
                        argv=(*python_command(call), str(theirs.fileno())),
                        cwd=call.cwd,
                        env=call.env,
                    ),
                    sink,
                    task=call.task_id,
                    timeout_s=timeout_s,
                    pass_fds=(theirs.fileno(),),
                    halt=halt,
                )
                theirs.close()
                await asyncio.wait({talk}, timeout=_LAST_WORDS_S)
            finally:
                talk.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await talk
        finally:
            writer.close()
    finally:
        theirs.close()
    return ended, answer


def function_text(step: PythonStep) -> str:
    """The step as messages name it."""
    return f"{step.kind} {step.function}"


def python_command(call: Call) -> tuple[str, ...]:
    """The interpreter: the one that the task requires, else the one that pipec runs under."""
    required = call.runtime.partition("@")[0]
    program = "python" if required == "python" else sys.executable
    # Without bytecode beside the sources, which may be inputs; unbuffered, for the log.
    return (program, "-B", "-u", _CHILD)


async def _talk(
    call: Call,
    answer: Answer,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    fingerprint: Callable[[], str],
) -> None:
    # A child that is gone has nothing more to say; how it ended tells the rest.
    with contextlib.suppress(ConnectionError, ValueError, KeyError, TypeError):
        _say(writer, request_of(call))
        while line := await reader.readline():
            message = json.loads(line)
            if message["kind"] == "ask":
                _say(writer, await asyncio.to_thread(fingerprint))
            elif take(answer, message, call):
                return


def _say(writer: asyncio.StreamWriter, message: object) -> None:
    writer.write(json.dumps(message).encode("ascii") + b"\n")


def request_of(call: Call) -> dict[str, Any]:
    """What the process is told first."""
    step = call.step
    return {
        "kind": step.kind,
        "function": step.function,
        "args": step.arguments,
        "task_id": call.task_id,
        "run_id": call.run_id,
        "root": call.root,
        "cwd": call.cwd,
        "shell": call.shell,
        "shells": dict(SHELLS),
    }


def take(answer: Answer, message: dict[str, Any], call: Call) -> bool:
    """Takes in one message; whether it was the last."""
    kind = message["kind"]
    if kind == "meta":
        answer.metadata |= message["values"]
        return False
    if kind == "end":
        answer.steps = message["steps"]
        answer.ended = True
    elif kind == "exit":
        answer.ended = True
    else:
        answer.trouble = _TROUBLES[kind](message, call.step)
    return True


def _no_module(message: dict[str, Any], step: PythonStep) -> tuple[Code, str]:
    text = f"there is no module `{message['module']}` for `{function_text(step)}`"
    return Code.STEP_MODULE_MISSING, text


def _no_function(message: dict[str, Any], step: PythonStep) -> tuple[Code, str]:
    from pipec.frontend.suggest import nearest

    name = step.function.partition(":")[2]
    close = nearest(name, message["names"])
    hint = f"; did you mean `{close}`?" if close else ""
    return Code.STEP_FUNCTION_MISSING, f"`{message['file']}` has no function `{name}`{hint}"


def _unsuitable(message: dict[str, Any], step: PythonStep) -> tuple[Code, str]:
    return Code.STEP_RESULT_UNSUITABLE, f"`{step.function}` {message['message']}"


def _raised(message: dict[str, Any], step: PythonStep) -> tuple[Code, str]:
    place = f" ({message['file']}:{message['line']})" if message["file"] else ""
    return Code.STEP_RAISED, f"`{step.function}` raised {message['message']}{place}"


_TROUBLES: dict[str, Callable[[dict[str, Any], PythonStep], tuple[Code, str]]] = {
    "no-module": _no_module,
    "no-function": _no_function,
    "result": _unsuitable,
    "raised": _raised,
}
