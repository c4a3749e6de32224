"""When a service is ready: a line of its output, an address, a port, or a command says so."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from pipec.ir.service import Ready, ReadyCommand, ReadyHttp, ReadyOutput, ReadyPort
from pipec.ports.executor import Command
from pipec.runtime.listeners import takes_connections
from pipec.runtime.process import Processes

BETWEEN_CHECKS_S = 0.1
_ONE_CHECK_S = 5.0
_ONE_ANSWER_S = 2.0
_LONGEST_LINE = 65536
_COLOURS = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]")
_OK = range(200, 400)
_PORTS = {"http": 80, "https": 443}


class Readiness(Protocol):
    """One way to tell that a service is ready."""

    def take(self, data: bytes) -> None:
        """What the service has written."""

    async def wait(self) -> None:
        """Comes back when the service is ready."""

    def last_answer(self) -> str:
        """What the last look found, for the message that it is not ready; may be empty."""


def open_readiness(
    ready: Ready | None, processes: Processes, command_of: Callable[[str], Command], *, task: str
) -> Readiness:
    """What tells when a service, a `task`, is ready.

    `command_of` makes a check of a command for the shell.
    """
    match ready:
        case None:
            return _AtOnce()
        case ReadyOutput(pattern=pattern):
            return _Line(pattern)
        case ReadyPort(port=port):
            return _Port(port)
        case ReadyHttp(http=url):
            return _Address(url)
        case ReadyCommand(command=command):
            return _Check(processes, command_of(command), task)


def own_port(ready: Ready | None) -> int | None:
    """The port of this machine that the service is to open, if its readiness tells."""
    match ready:
        case ReadyPort(port=port):
            return port
        case ReadyHttp(http=url):
            parts = urlsplit(url)
            host = parts.hostname or ""
            if host in {"localhost", "::1"} or host.startswith("127."):
                return parts.port or _PORTS[parts.scheme]
        case _:
            pass
    return None


class _AtOnce:
    def take(self, data: bytes) -> None:
        pass

    async def wait(self) -> None:
        pass

    def last_answer(self) -> str:
        return ""


class _Line:
    """A line of the output, or what there is of one, in which the expression is found."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self._found = asyncio.Event()
        self._rest = b""

    def take(self, data: bytes) -> None:
        if self._found.is_set():
            return
        lines = (self._rest + data).splitlines(keepends=True)
        self._rest = lines[-1][-_LONGEST_LINE:] if lines and lines[-1][-1:] != b"\n" else b""
        for line in lines:
            text = _COLOURS.sub(b"", line).decode("utf-8", "replace").rstrip("\r\n")
            if self._pattern.search(text):
                self._found.set()
                return

    async def wait(self) -> None:
        await self._found.wait()

    def last_answer(self) -> str:
        return f"no line of its output matches `{self._pattern.pattern}`"


class _Polled(ABC):
    """Looks again and again."""

    def __init__(self) -> None:
        self._answer = ""

    def take(self, data: bytes) -> None:
        """What the service prints says nothing here."""
        del data

    async def wait(self) -> None:
        # Nothing tells when somebody else's answer changes: it has to be asked for.
        while not await self._look():  # noqa: ASYNC110
            await asyncio.sleep(BETWEEN_CHECKS_S)

    def last_answer(self) -> str:
        return self._answer

    @abstractmethod
    async def _look(self) -> bool:
        """Whether it is ready now."""


class _Port(_Polled):
    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._answer = f"nobody takes connections at port {port}"

    async def _look(self) -> bool:
        return await takes_connections(self._port)


class _Address(_Polled):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def _look(self) -> bool:
        try:
            status = await asyncio.to_thread(_status_of, self._url)
        except OSError as error:
            self._answer = f"`{self._url}` cannot be reached: {error.strerror or error}"
            return False
        except Exception as error:
            # Whatever it is that answers there, it does not speak HTTP yet.
            self._answer = f"`{self._url}` does not answer as it should: {error}"
            return False
        self._answer = f"`{self._url}` answers with status {status}"
        return status in _OK


class _Check(_Polled):
    def __init__(self, processes: Processes, command: Command, task: str) -> None:
        super().__init__()
        self._task = task
        self._processes = processes
        self._command = command

    async def _look(self) -> bool:
        said: list[bytes] = []
        try:
            ended = await self._processes.run(
                self._command, said.append, task=self._task, timeout_s=_ONE_CHECK_S
            )
        except (OSError, ValueError) as error:
            self._answer = f"the check cannot be started: {getattr(error, 'strerror', error)}"
            return False
        if ended.group is not None:
            await self._processes.end_groups(frozenset({ended.group}))
        lines = b"".join(said).decode("utf-8", "replace").strip().splitlines()
        tail = f": {lines[-1]}" if lines else ""
        self._answer = f"the check ended with exit status {ended.code}{tail}"
        return ended.code == 0


def _status_of(url: str) -> int:
    """The status with which the address answers; where a redirection leads is nobody's business."""
    import ssl
    from http.client import HTTPConnection, HTTPSConnection

    parts = urlsplit(url)
    assert parts.hostname is not None
    connection: HTTPConnection
    if parts.scheme == "https":
        # It is a machine's own service that is asked whether it is there, not who it is.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = HTTPSConnection(
            parts.hostname, parts.port, timeout=_ONE_ANSWER_S, context=context
        )
    else:
        connection = HTTPConnection(parts.hostname, parts.port, timeout=_ONE_ANSWER_S)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"User-Agent": "pipec", "Connection": "close"})
        return connection.getresponse().status
    finally:
        connection.close()
