"""The server, asked as a browser asks it, over the site that was really built."""

import json
import os
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

from fieldnotes.app import App


class Browser:
    def __init__(self, app: App) -> None:
        self._app = app

    def get(self, path: str, query: str = "", method: str = "GET") -> tuple[str, str, bytes]:
        environ: dict = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": method}
        setup_testing_defaults(environ)
        seen: list = []
        body = b"".join(self._app(environ, lambda *answer: seen.append(answer)))
        status, headers = seen[0]
        assert dict(headers)["Content-Length"] == str(len(body))
        return status, dict(headers)["Content-Type"], body


@pytest.fixture
def browser() -> Browser:
    return Browser(App(Path(os.environ["SITE_DIR"])))


def test_the_front_page_lists_every_bird(browser: Browser) -> None:
    status, kind, body = browser.get("/")
    assert (status, kind) == ("200 OK", "text/html")
    assert body.count(b"<li>") == 6


def test_a_search_finds_the_bird_that_the_word_is_about(browser: Browser) -> None:
    status, kind, body = browser.get("/search", "q=caterpillars")
    assert (status, kind) == ("200 OK", "application/json")
    assert [hit["title"] for hit in json.loads(body)["hits"]] == ["Blue tit"]


def test_a_search_for_nothing_finds_nothing(browser: Browser) -> None:
    assert json.loads(browser.get("/search")[2]) == {"question": "", "hits": []}


@pytest.mark.parametrize("path", ["/eagle.html", "/../../pipeline.toml", "/../build.py", "//etc"])
def test_what_is_not_in_the_site_is_not_served(browser: Browser, path: str) -> None:
    assert browser.get(path)[0] == "404 Not Found"


def test_nothing_can_be_written(browser: Browser) -> None:
    assert browser.get("/", method="POST")[0] == "405 Method Not Allowed"
