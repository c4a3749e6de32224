"""Watches what was asked for: options to requests, for as long as it goes on."""

from collections.abc import Callable

from pipec.cli.invocation import Invocation
from pipec.cli.options import RunOptions
from pipec.cli.report.errors import render_error
from pipec.cli.report.plain import PlainReporter
from pipec.cli.report.watch import WatchReporter
from pipec.cli.run import number_from, open_request, reporter_of
from pipec.clock import SystemClock
from pipec.errors import PipecError
from pipec.runtime.events import Listener, WarningRaised
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.watch import WatchSource
from pipec.runtime.watch import watch as watch_plan

MAX_WATCHES = "PIPEC_MAX_WATCHES"


def watch(invocation: Invocation, options: RunOptions, *, poll: bool) -> int:
    """Runs the targets whenever their inputs change; gives the exit status of the end.

    Raises:
        SpecError: the pipeline file is missing or wrong from the start.
        PlanError: the request does not fit the pipeline.
        RunError: the first run could not be started.
    """
    request = open_request(invocation, options)
    listener: Listener
    if options.format == "jsonl":
        from pipec.cli.report.jsonlines import JsonLinesReporter

        listener, screen = JsonLinesReporter(invocation.console), None
    else:
        screen = reporter_of(invocation, request, options)
        listener = WatchReporter(screen, is_brief=not screen.is_live)
    reload = _Reload(invocation, options, request, _teller(invocation, listener, screen))
    services = Services(
        listeners=(listener,), screen=screen, handle_signals=invocation.owns_process
    )
    source = WatchSource(files=(invocation.find().path,), reload=reload)
    try:
        return watch_plan(
            request, services, source, poll=poll, limit=number_from(invocation, MAX_WATCHES, 0)
        )
    finally:
        if screen is not None:
            screen.close()


class _Reload:
    """The request anew when the pipeline is another one; a file that is wrong is told of once."""

    def __init__(
        self,
        invocation: Invocation,
        options: RunOptions,
        request: RunRequest,
        tell: Callable[[PipecError], None],
    ) -> None:
        self._invocation = invocation
        self._options = options
        self._bytes = request.pipeline_bytes
        self._tell = tell
        self._told = ""

    def __call__(self) -> RunRequest | None:
        try:
            _, compiled = self._invocation.compile()
            if compiled.pipeline_bytes == self._bytes:
                self._told = ""
                return None
            request = open_request(self._invocation, self._options)
        except PipecError as error:
            text = render_error(error, color=False)
            if text != self._told:
                self._told = text
                self._tell(error)
            return None
        self._told = ""
        self._bytes = request.pipeline_bytes
        return request


def _teller(
    invocation: Invocation, listener: Listener, screen: PlainReporter | None
) -> Callable[[PipecError], None]:
    """Tells of a pipeline that cannot be used: to a person with its places, else as an event."""

    def tell(error: PipecError) -> None:
        if screen is None:
            at_ms = SystemClock().now_ms()
            listener(WarningRaised(at_ms=at_ms, code=error.code, message=error.message))
        else:
            screen.say(render_error(error, color=invocation.console.color))
            screen.say("the pipeline counts on as it was before")
            screen.flush()

    return tell
