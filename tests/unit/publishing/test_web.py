"""Servers on a bad day, and servers that send one on to others."""

import http.server
from collections.abc import Iterator

import pytest

from pipec.codes import Code
from pipec.errors import PipecError
from pipec.publishing.tokens import Veil, find_token, without_tokens
from pipec.publishing.web import Web, plain
from tests.doubles.faulty import free_address, serving

SECRET = "a-token-that-nobody-sees"


class Server:
    """What is asked of a server, and what it is to say."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[tuple[int, dict[str, str], str]] = []
        self.asked: list[tuple[str, str, str | None]] = []


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append((self.command, self.path, self.headers["Authorization"]))
            status, headers, text = state.answers.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815

    with serving(Handler) as url:
        state.url = url
        yield state


def web_with(waits: list[float], *, attempts: int = 4) -> Web:
    veil = Veil({"NPM_TOKEN": SECRET})
    return Web(attempts=attempts, wait=waits.append, agent="test", hide=veil.over)


def test_an_outage_is_asked_about_again_and_later_each_time(server: Server) -> None:
    waits: list[float] = []
    server.answers = [(503, {}, ""), (500, {}, ""), (429, {"Retry-After": "7"}, ""), (200, {}, "x")]
    assert web_with(waits).ask(server.url).body == b"x"
    assert waits == [1.0, 2.0, 7.0]


def test_waiting_has_an_end(server: Server) -> None:
    waits: list[float] = []
    server.answers = [(503, {"Retry-After": "86400"}, ""), (503, {}, "come back later")]
    with pytest.raises(PipecError) as refusal:
        web_with(waits, attempts=2).ask(server.url)
    assert waits == [60.0]
    assert refusal.value.code is Code.REGISTRY_UNAVAILABLE
    assert refusal.value.message == (
        f"`{server.url}` does not answer as it should, asked 2 times: 503 come back later"
    )


def test_what_is_no_outage_is_asked_once(server: Server) -> None:
    server.answers = [(501, {}, "")]
    assert web_with([]).ask(server.url, method="POST", body=b"x").status == 501
    assert len(server.asked) == 1


def test_nobody_there_is_an_outage() -> None:
    waits: list[float] = []
    with pytest.raises(PipecError) as refusal:
        web_with(waits, attempts=3).ask(free_address())
    assert refusal.value.code is Code.REGISTRY_UNAVAILABLE
    assert refusal.value.message.endswith("asked 3 times: Connection refused")
    assert waits == [1.0, 2.0]


def test_another_host_gets_no_token(server: Server) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.answers = [(302, {"Location": f"{elsewhere}there"}, ""), (200, {}, "x")]
    web_with([]).ask(server.url, headers={"Authorization": f"Bearer {SECRET}"})
    assert server.asked == [("GET", "/", f"Bearer {SECRET}"), ("GET", "/there", None)]


def test_the_same_host_gets_it_again(server: Server) -> None:
    server.answers = [(302, {"Location": "/there"}, ""), (200, {}, "x")]
    web_with([]).ask(server.url, headers={"Authorization": f"Bearer {SECRET}"})
    assert [token for _, _, token in server.asked] == [f"Bearer {SECRET}"] * 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"message": "no"}', "no"),
        ('{"error": "no\\nway"}', "no way"),
        ("<html><body>Forbidden</body></html>", "Forbidden"),
        ("", "Forbidden"),
        (f"you sent {SECRET}", "you sent ***"),
        (f"{'x' * 195} {SECRET}", f"{'x' * 195} ***"),
    ],
)
def test_what_a_server_says_is_one_line_without_tokens(
    server: Server, text: str, words: str
) -> None:
    server.answers = [(403, {}, text)]
    assert web_with([]).ask(server.url).words == words


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    assert plain("https://me:pass@example.org:8/a?token=x#y") == "https://example.org:8/a"


def test_only_addresses_of_the_web_are_asked() -> None:
    with pytest.raises(PipecError) as refusal:
        web_with([]).ask("file:///etc/hostname")
    assert refusal.value.code is Code.REGISTRY_REFUSED


def test_a_token_goes_nowhere_in_the_clear() -> None:
    with pytest.raises(PipecError, match="over `https://` only"):
        web_with([]).ask("http://192.0.2.1/", headers={"Authorization": SECRET})


def test_errors_hide_tokens() -> None:
    veil = Veil({"GITHUB_TOKEN": SECRET})
    veil.learn("learned-later")
    with pytest.raises(PipecError) as refusal, veil.over_errors():
        raise PipecError(Code.BUG, f"a {SECRET}", help=("b learned-later",))
    error = refusal.value
    assert (error.message, str(error), error.help) == ("a ***", "a ***", ("b ***",))


def test_the_first_variable_that_says_something_is_the_token() -> None:
    environ = {"A": " ", "B": "two\n", "C": "three"}
    assert find_token(environ, ("A", "B", "C")) == "two"
    assert without_tokens({"NPM_TOKEN": "x", "HOME": "y"}) == {"HOME": "y"}
