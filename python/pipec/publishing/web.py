"""Requests over HTTP that outlast an outage, and give no secret to anybody but whom it is for."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from pipec.codes import Code
from pipec.errors import RunError

Wait = Callable[[float], None]

_TIMEOUT_S = 60
_LONGEST_WAIT_S = 60.0
_OUTAGES = frozenset({408, 425, 429, 500, 502, 503, 504})
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_WORDS = 200
_LARGEST = 512 * 1024 * 1024


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `hide` takes tokens out: a server may repeat what it was told."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    hide: Callable[[str], str] = _as_it_is

    @property
    def is_good(self) -> bool:
        """Whether the server did what it was asked."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_missing(self) -> bool:
        """Whether there is no such thing."""
        return self.status == HTTPStatus.NOT_FOUND

    def json(self) -> Any:
        """The body as JSON; None if it is something else."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def words(self) -> str:
        """What the server says about an error, on one line."""
        said = self.json()
        if isinstance(said, dict):
            text = str(said.get("message") or said.get("error") or said.get("description") or "")
        else:
            text = self.body.decode("utf-8", "replace")
        text = " ".join(self.hide(text).split())
        is_page = text.startswith("<")
        return text[:_LONGEST_WORDS] if text and not is_page else self._reason

    @property
    def _reason(self) -> str:
        return http.client.responses.get(self.status, "")


class Web:
    """Asks servers, each question up to `attempts` times, waiting longer from time to time."""

    def __init__(
        self, *, attempts: int, wait: Wait, agent: str, hide: Callable[[str], str] = _as_it_is
    ) -> None:
        self._hide = hide
        self.attempts = attempts
        self._wait = wait
        self._agent = agent
        self._opener = urllib.request.build_opener(_CarefulRedirects)

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """The answer, whatever its status, unless it says that the server is out of order.

        Raises:
            RunError: nobody answers, or every answer says that the server is out of order.
        """
        trouble = ""
        for attempt in range(self.attempts):
            delay = float(2**attempt)
            try:
                answer = self._once(url, method, headers or {}, body)
            except OSError as error:
                reason = error.reason if isinstance(error, urllib.error.URLError) else error
                trouble = str(getattr(reason, "strerror", "") or reason)
            except http.client.HTTPException as error:
                trouble = f"the answer is cut short ({type(error).__name__})"
            else:
                if answer.status not in _OUTAGES:
                    return answer
                trouble = f"{answer.status} {answer.words}"
                delay = _asked_to_wait(answer, delay)
            if attempt + 1 < self.attempts:
                self._wait(min(delay, _LONGEST_WAIT_S))
        raise unavailable(url, trouble, self.attempts)

    def pause(self, attempt: int) -> None:
        """Waits before another attempt at something that is more than one question."""
        self._wait(min(float(2**attempt), _LONGEST_WAIT_S))

    def _once(
        self, url: str, method: str, headers: Mapping[str, str], data: bytes | None
    ) -> Answer:
        check_address(url, has_token="Authorization" in headers)
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            url, data=data, method=method, headers={"User-Agent": self._agent, **headers}
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                body = response.read(_LARGEST)
                return Answer(response.status, body, dict(response.headers), self._hide)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(_LARGEST), dict(error.headers), self._hide)


def check_address(url: str, *, has_token: bool) -> None:
    """An address is one of the web, and a token is only sent where nobody listens.

    Raises:
        RunError: it is not.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise refused(url, "an address begins with `https://` or `http://`")
    if has_token and parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
        raise refused(url, "a token is sent over `https://` only")


def unavailable(url: str, trouble: str, attempts: int) -> RunError:
    """The error for a server that is out of order."""
    times = "once" if attempts == 1 else f"{attempts} times"
    message = f"`{plain(url)}` does not answer as it should, asked {times}: {trouble}"
    return RunError(
        Code.REGISTRY_UNAVAILABLE, message, help=("try again later: what is published stays",)
    )


def refused(url: str, words: str, *help_: str) -> RunError:
    """The error for a server that will not do what it is asked."""
    return RunError(Code.REGISTRY_REFUSED, f"`{plain(url)}` refuses: {words}", help=help_)


def plain(url: str) -> str:
    """An address without a user and a password in it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Another host gets no token, and a question that carries data goes nowhere else."""

    def redirect_request(self, req: Any, *rest: Any) -> urllib.request.Request | None:
        following = super().redirect_request(req, *rest)
        if following is not None and urlsplit(following.full_url).netloc != req.host:
            following.remove_header("Authorization")
        return following


def _asked_to_wait(answer: Answer, otherwise: float) -> float:
    said = next((v for k, v in answer.headers.items() if k.lower() == "retry-after"), "")
    return float(said) if said.isdigit() else otherwise
