"""Commands that never run: a test says what they print, write and end with, and when."""

import asyncio
import os
import shlex
import threading
from collections.abc import Mapping, Sequence
from errno import ENOENT

from pipec.ports.executor import Command, Exit, Sink

TIMED_OUT = 124
_WAIT_S = 30.0


class ScriptedCommand:
    """What happens when a step runs the command `text`, exactly as the pipeline has it.

    It prints `output`, writes the files of `writes` (path in the task's folder → contents) and ends
    with `exit_code`; a sequence of codes is for one call after the other, and the last one stays.
    With `holds` it does not end before the test calls `finish`.
    """

    def __init__(
        self,
        text: str,
        *,
        output: str = "",
        writes: Mapping[str, str] | None = None,
        exit_code: int | Sequence[int] = 0,
        holds: bool = False,
    ) -> None:
        self.text = text
        self.calls: list[Command] = []
        """Every call so far, in order: argument vector, folder and environment."""
        self._output = output
        self._writes = dict(writes or {})
        self._codes = [exit_code] if isinstance(exit_code, int) else list(exit_code)
        self._holds = holds
        self._started = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[int | None]]] = []

    def wait_started(self) -> Command:
        """Waits until the command has been started once more than waited for before.

        Raises:
            TimeoutError: it was not within 30 seconds of real time.
        """
        if not self._started.acquire(timeout=_WAIT_S):
            raise TimeoutError(f"`{self.text}` has not been started")
        return self.calls[-1]

    def finish(self, exit_code: int | None = None) -> None:
        """Lets the oldest call that is held end, with its own exit code or with this one.

        Raises:
            ValueError: none is held.
        """
        with self._lock:
            if not self._waiting:
                raise ValueError(f"`{self.text}` is not running")
            loop, held = self._waiting.pop(0)
        loop.call_soon_threadsafe(lambda: None if held.done() else held.set_result(exit_code))

    async def play(self, command: Command, sink: Sink, timeout_s: float | None) -> int:
        """One call; gives its exit code, 124 if its time is over."""
        number = len(self.calls)
        held: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        if self._holds:
            with self._lock:
                self._waiting.append((asyncio.get_running_loop(), held))
        else:
            held.set_result(None)
        self.calls.append(command)
        self._started.release()
        if self._output:
            sink(self._output.encode())
        try:
            decided = await asyncio.wait_for(held, timeout_s)
        except TimeoutError:
            return TIMED_OUT
        finally:
            with self._lock:
                # `finish` is for calls that still run.
                self._waiting = [pair for pair in self._waiting if pair[1] is not held]
        self._write(command.cwd)
        return self._codes[min(number, len(self._codes) - 1)] if decided is None else decided

    def _write(self, folder: str) -> None:
        for path, text in self._writes.items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)


class ScriptedExecutor:
    """Runs no process: each command of a step is looked up among the scripted ones.

    A command that no script has cannot be started, and the task fails with that.
    """

    def __init__(self, *commands: ScriptedCommand) -> None:
        self._commands = {command.text: command for command in commands}

    async def run(self, command: Command, sink: Sink, *, timeout_s: float | None = None) -> Exit:
        """Plays the script of the command.

        Raises:
            FileNotFoundError: there is none.
        """
        text = _text(command.argv)
        script = self._commands.get(text)
        if script is None:
            raise FileNotFoundError(ENOENT, f"the test has no script for `{text}`")
        loop = asyncio.get_running_loop()
        started = loop.time()
        code = await script.play(command, sink, timeout_s)
        return Exit(
            code=code,
            duration_ms=round((loop.time() - started) * 1000),
            timed_out=timeout_s is not None and code == TIMED_OUT,
        )


def _text(argv: Sequence[str]) -> str:
    """The command as the pipeline has it: what a shell was given, or the words of a program."""
    is_shell = len(argv) > 2 and argv[-2] in ("-c", "-Command", "/C", "/c")  # noqa: PLR2004
    return argv[-1] if is_shell else shlex.join(argv)
