"""Services: tasks that are kept running for the tasks after them, §4 of the language."""

import re
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, Tag, model_validator

from pipec.codes import Code
from pipec.spec.base import Spec, by_form, by_key, refusal
from pipec.spec.scalars import Count, Duration, Text, text_like


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        message = f"`{value}` is not a regular expression: {error.msg}"
        advice = "a `\\` before a character such as `(`, `[`, `*` or `?` takes it as it is"
        raise refusal(Code.INVALID_VALUE, message, advice=advice) from None
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        advice = "write it as `http://localhost:3000/health`"
        raise refusal(Code.INVALID_VALUE, f"`{value}` is not an http address", advice=advice)
    return value


Expression = Annotated[Text, AfterValidator(_expression)]
HttpUrl = Annotated[str, AfterValidator(_url), text_like(r"^https?://[^/]")]


class HttpReadySpec(Spec):
    """Ready when an address answers."""

    noun: ClassVar[str] = "a check over HTTP"

    http: HttpUrl
    """The address; it has to answer a GET with a status from 200 to 399.

    http = "http://localhost:3000/health"
    """


class PortReadySpec(Spec):
    """Ready when a port of this machine takes connections."""

    noun: ClassVar[str] = "a check of a port"

    port: Annotated[int, Field(ge=1, le=65535)]
    """The TCP port, on this machine.

    port = 5432
    """


class CommandReadySpec(Spec):
    """Ready when a command succeeds."""

    noun: ClassVar[str] = "a check by a command"

    command: Text
    """The command; it runs again and again with the task's shell, folder and environment.

    command = "pg_isready"
    """


Ready = Annotated[
    Annotated[Expression, Tag("text")]
    | Annotated[HttpReadySpec, Tag("http")]
    | Annotated[PortReadySpec, Tag("port")]
    | Annotated[CommandReadySpec, Tag("command")],
    by_form(
        by_key("http", "port", "command", text=True),
        "expected a regular expression for a line of its output, or a table with "
        "`http`, `port` or `command`",
    ),
]


class ServiceSpec(Spec):
    """How a task is kept running for the tasks that depend on it."""

    noun: ClassVar[str] = "a service"

    ready: Ready | None = None
    """When the tasks after it may start; without it, as soon as its process has started.

    ready = "listening on port \\\\d+"
    """
    ready_timeout: Duration = 60_000
    """How long it may take to become ready.

    ready-timeout = "30s"
    """
    restart: Literal["never", "on-failure", "always"] = "never"
    """Whether it is started again when it ends while it is needed.

    restart = "on-failure"
    """
    max_restarts: Count | None = None
    """How many times it is started again; 5 if `restart` says no more.

    max-restarts = 3
    """
    restart_delay: Duration | None = None
    """How long to wait before that; one second if `restart` says no more.

    restart-delay = "500ms"
    """
    grace: Duration | None = None
    """How long it has between being asked to end and being killed; 5 seconds if not given.

    grace = "20s"
    """

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if self.restart == "never":
            for key, value in (
                ("max-restarts", self.max_restarts),
                ("restart-delay", self.restart_delay),
            ):
                if value is not None:
                    message = f"`{key}` is for a service that is started again"
                    advice = 'say `restart = "on-failure"` or `restart = "always"` as well'
                    raise refusal(Code.CONFLICTING_FIELDS, message, advice=advice, key=key)
        return self
