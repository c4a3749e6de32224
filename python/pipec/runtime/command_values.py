"""Inputs that are the output of a command: each command runs once per run, whoever asks first."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping

from pipec.codes import Code
from pipec.errors import RunError
from pipec.ports.executor import Command
from pipec.runtime.process import Processes

_SHELL = ("sh", "-e", "-c")
_LONGEST_COMPLAINT = 500


class CommandValues:
    """The values of one run. Commands run in the pipeline's folder and see what `env` gives.

    `before_start` is called before the first one.
    """

    def __init__(
        self,
        processes: Processes,
        *,
        root: str,
        env: Mapping[str, str],
        before_start: Callable[[], None],
    ) -> None:
        self._processes = processes
        self._root = root
        self._env = env
        self._before_start = before_start
        self._values: dict[str, asyncio.Task[str]] = {}

    async def value(self, command: str) -> str:
        """What the command writes to its standard output, without the last line end.

        Raises:
            RunError: it cannot be started, or does not exit with 0.
        """
        if command not in self._values:
            self._values[command] = asyncio.ensure_future(self._run(command))
        return await asyncio.shield(self._values[command])

    async def _run(self, command: str) -> str:
        chunks: list[bytes] = []
        with tempfile.TemporaryFile() as complaints:
            try:
                self._before_start()
                ended = await self._processes.run(
                    Command(argv=(*_SHELL, command), cwd=self._root, env=self._env),
                    chunks.append,
                    stderr=complaints.fileno(),
                )
            except OSError as error:
                message = f"the input command `{command}` cannot be started: {error.strerror}"
                raise RunError(Code.INPUT_COMMAND_FAILED, message) from error
            if ended.group is not None:
                await self._processes.end_groups(frozenset({ended.group}))
            if ended.code:
                complaints.seek(0)
                said = complaints.read(_LONGEST_COMPLAINT).decode("utf-8", "replace").strip()
                message = f"the input command `{command}` ended with exit status {ended.code}"
                raise RunError(Code.INPUT_COMMAND_FAILED, f"{message}: {said}" if said else message)
        return b"".join(chunks).decode("utf-8", "replace").rstrip("\r\n")
