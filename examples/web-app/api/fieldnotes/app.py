"""The server: `/search?q=…` answers in JSON, everything else is a file of the built site."""

import json
import mimetypes
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from fieldnotes.index import Index

Start = Callable[[str, list[tuple[str, str]]], Any]


class App:
    """A WSGI application over a folder that holds a built site and its index."""

    def __init__(self, site: Path) -> None:
        self._site = site.resolve()
        self._index = Index.read(site / "search-index.json")

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answers one request."""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self._answer(start, "405 Method Not Allowed", "text/plain", b"read only\n")
        if environ["PATH_INFO"] == "/search":
            question = parse_qs(environ.get("QUERY_STRING", "")).get("q", [""])[0]
            hits = [asdict(hit) for hit in self._index.search(question)]
            body = json.dumps({"question": question, "hits": hits}, ensure_ascii=False).encode()
            return self._answer(start, "200 OK", "application/json", body)
        return self._file(environ["PATH_INFO"], start)

    def _file(self, path: str, start: Start) -> Iterable[bytes]:
        file = (self._site / path.lstrip("/")).resolve()
        if file == self._site:
            file /= "index.html"
        # `..` and links must not lead out of the site.
        if not file.is_relative_to(self._site) or not file.is_file():
            return self._answer(start, "404 Not Found", "text/plain", b"no such page\n")
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return self._answer(start, "200 OK", kind, file.read_bytes())

    @staticmethod
    def _answer(start: Start, status: str, kind: str, body: bytes) -> Iterable[bytes]:
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]
