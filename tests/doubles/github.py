"""A test double of the API of GitHub: one repository, and what publishing asks of it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.doubles.faulty import serving

REPOSITORY = "Acme/web"


@dataclass
class FakeGithub:
    """The repository. `log` holds every request: method and path."""

    token: str
    url: str = ""
    heads: dict[str, str] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    releases: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    broken: str = ""

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> Any:
        """Status and document."""
        if self.broken and self.broken in f"{method} {path}":
            return 422, {"message": "it will not"}
        fields = json.loads(body) if body.startswith(b"{") else {}
        for route, act in _ROUTES:
            found = re.fullmatch(route, f"{method} {path}")
            if found:
                return act(self, [unquote(group) for group in found.groups()], query, fields, body)
        return 404, {"message": "Not Found"}


def _head(git: FakeGithub, words: list[str], *_: Any) -> Any:
    sha = git.heads.get(words[0])
    return (200, {"head": {"sha": sha}, "commit": {"sha": sha}}) if sha else (404, {})


def _page(items: list[Any], query: dict[str, list[str]]) -> Any:
    size, page = int(query["per_page"][0]), int(query["page"][0])
    return 200, items[(page - 1) * size : page * size]


def _comments(git: FakeGithub, _w: Any, query: Any, *_: Any) -> Any:
    return _page(git.comments, query)


def _comment(git: FakeGithub, _w: Any, _q: Any, fields: Any, _b: Any) -> Any:
    git.comments.append({"id": len(git.comments) + 1, **fields})
    return 201, git.comments[-1]


def _edit(git: FakeGithub, words: list[str], _q: Any, fields: Any, _b: Any) -> Any:
    git.comments[int(words[0]) - 1] |= fields
    return 200, git.comments[int(words[0]) - 1]


def _by_tag(git: FakeGithub, words: list[str], *_: Any) -> Any:
    found = [r for r in git.releases if r["tag_name"] == words[0] and not r["draft"]]
    return (200, found[0]) if found else (404, {})


def _releases(git: FakeGithub, _w: Any, query: Any, *_: Any) -> Any:
    return _page(git.releases, query)


def _new_release(git: FakeGithub, _w: Any, _q: Any, fields: Any, _b: Any) -> Any:
    number = len(git.releases) + 1
    address = f"{git.url}repos/{REPOSITORY}/releases/{number}/assets{{?name,label}}"
    git.releases.append({"id": number, "assets": [], "upload_url": address, **fields})
    return 201, git.releases[-1]


def _change_release(git: FakeGithub, words: list[str], _q: Any, fields: Any, _b: Any) -> Any:
    git.releases[int(words[0]) - 1] |= fields
    return 200, git.releases[int(words[0]) - 1]


def _attach(git: FakeGithub, words: list[str], query: Any, _f: Any, body: bytes) -> Any:
    name = query["name"][0]
    git.files[name] = body
    git.releases[int(words[0]) - 1]["assets"].append({"id": len(git.files), "name": name})
    return 201, {}


_REPO = f"/repos/{REPOSITORY}"
_ROUTES = (
    (rf"GET {_REPO}/pulls/(\d+)", _head),
    (rf"GET {_REPO}/branches/(.+)", _head),
    (rf"GET {_REPO}/issues/\d+/comments", _comments),
    (rf"POST {_REPO}/issues/\d+/comments", _comment),
    (rf"PATCH {_REPO}/issues/comments/(\d+)", _edit),
    (rf"GET {_REPO}/releases/tags/(.+)", _by_tag),
    (rf"GET {_REPO}/releases", _releases),
    (rf"POST {_REPO}/releases", _new_release),
    (rf"PATCH {_REPO}/releases/(\d+)", _change_release),
    (rf"POST {_REPO}/releases/(\d+)/assets", _attach),
    (rf"DELETE {_REPO}/releases/assets/\d+", lambda *_: (200, {})),
)


@contextmanager
def fake_github(token: str) -> Iterator[FakeGithub]:
    """The double, on loopback."""
    git = FakeGithub(token)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            git.log.append(f"{self.command} {parts.path.removeprefix(_REPO)}")
            status, document = 401, {"message": f"Bad credentials: {self.headers['Authorization']}"}
            if self.headers["Authorization"] == f"Bearer {git.token}":
                status, document = git.answer(self.command, parts.path, parse_qs(parts.query), body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

    with serving(Handler) as url:
        git.url = url
        yield git
