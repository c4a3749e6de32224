"""A server in front of another that fails on demand: a registry on a bad day."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["down", "lost", "none"]
_OWN = {"transfer-encoding", "connection", "content-length", "host"}


@dataclass
class Faulty:
    """What to do with the next requests that change something; then, with all others, `rest`.

    `down`: 503, and the server behind hears nothing. `lost`: it hears all, and the answer is lost.
    """

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    rest: Fault = "none"
    asked: list[str] = field(default_factory=list)

    def next_fault(self, method: str, path: str) -> Fault:
        """What happens to this request."""
        self.asked.append(f"{method} {path}")
        if method == "GET":
            return "none"
        return self.faults.pop(0) if self.faults else self.rest


@contextmanager
def faulty(upstream: str) -> Iterator[Faulty]:
    """The server before `upstream`."""
    state = Faulty()
    netloc = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            fault = state.next_fault(self.command, self.path)
            if fault == "down":
                self.send_response(503)
                self.send_header("Retry-After", "0")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _OWN}
            # Addresses in answers lead back here.
            headers["Host"] = urlsplit(state.url).netloc
            connection = http.client.HTTPConnection(netloc, timeout=30)
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if fault == "lost":
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

    with serving(Handler) as url:
        state.url = url
        yield state


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on loopback; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_address() -> str:
    """An address that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"
