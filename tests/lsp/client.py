"""A client of the language-server protocol: messages over the pipes of a process, no more."""

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 60
"""Seconds after which a server is taken to be stuck."""


class ResponseError(Exception):
    """The server refused a request."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]


class Client:
    """A server and what it has said."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        answers: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        """`answers` are given to requests of the server; any other gets null."""
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.notifications: list[tuple[str, Any]] = []
        self._answers = answers or {}
        self._inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._responses: dict[Any, dict[str, Any]] = {}
        self._last = 0
        self._errors: list[bytes] = []
        self._readers = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read, self._read_errors)
        ]
        for reader in self._readers:
            reader.start()

    def initialize(self, capabilities: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """The handshake; gives what the server can do."""
        params = {"processId": None, "rootUri": None, "capabilities": capabilities or {}, **more}
        result = self.request("initialize", params)
        self.notify("initialized", {})
        return result

    def request(self, method: str, params: Any = None) -> Any:
        """Asks, and waits for the answer."""
        return self.response(self.send_request(method, params))

    def send_request(self, method: str, params: Any = None) -> int:
        """Asks, and gives the number of the request."""
        self._last += 1
        self.send({"id": self._last, "method": method, "params": params})
        return self._last

    def response(self, number: int | None) -> Any:
        """Waits for the answer to a request."""
        while number not in self._responses:
            self._take()
        response = self._responses.pop(number)
        if "error" in response:
            raise ResponseError(response["error"])
        return response["result"]

    def notify(self, method: str, params: Any = None) -> None:
        """Says something that has no answer."""
        self.send({"method": method, "params": params})

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message."""
        self.send_bytes(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def send_bytes(self, body: bytes) -> None:
        """Sends the body of a message, whatever it is."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def wait_for(self, method: str, fits: Callable[[Any], bool]) -> Any:
        """The params of the first notification that fits, come or still to come."""
        seen = 0
        while True:
            for name, params in self.notifications[seen:]:
                seen += 1
                if name == method and fits(params):
                    return params
            self._take()

    def end(self) -> int:
        """Ends the server in order; gives its exit status."""
        self.request("shutdown")
        self.notify("exit")
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Ends the server at once, if it is still there."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue

    @property
    def complaints(self) -> str:
        """What the server wrote to its standard error."""
        return b"".join(self._errors).decode(errors="replace")

    def _take(self) -> None:
        try:
            message = self._inbox.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"no word from the server; it said:\n{self.complaints}") from None
        if message is None:
            self._inbox.put(None)
            raise AssertionError(f"the server is gone; it said:\n{self.complaints}")
        if "method" not in message:
            self._responses[message["id"]] = message
        elif "id" in message:
            answer = self._answers.get(message["method"], lambda _: None)
            self.send({"id": message["id"], "result": answer(message.get("params"))})
        else:
            self.notifications.append((message["method"], message.get("params")))

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        length = 0
        while line := stream.readline():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            elif not line.strip():
                self._inbox.put(json.loads(stream.read(length)))
        self._inbox.put(None)

    def _read_errors(self) -> None:
        stream = self.process.stderr
        assert stream is not None
        for line in stream:
            self._errors.append(line)
