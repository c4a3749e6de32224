"""Services in their normal form."""

from pipec.ir.service import Ready, ReadyCommand, ReadyHttp, ReadyOutput, ReadyPort, Service
from pipec.spec.service import CommandReadySpec, HttpReadySpec, PortReadySpec, ServiceSpec

_MAX_RESTARTS = 5
_RESTART_DELAY_MS = 1000


def lower_service(written: ServiceSpec | None) -> Service | None:
    """How the task is kept running; None for one that ends by itself."""
    if written is None:
        return None
    return Service(
        ready=_lower_ready(written.ready),
        ready_timeout_ms=written.ready_timeout,
        restart=written.restart,
        max_restarts=written.max_restarts or _MAX_RESTARTS,
        restart_delay_ms=written.restart_delay or _RESTART_DELAY_MS,
        grace_ms=written.grace or 0,
    )


def _lower_ready(
    written: str | HttpReadySpec | PortReadySpec | CommandReadySpec | None,
) -> Ready | None:
    match written:
        case None:
            return None
        case str():
            return ReadyOutput(pattern=written)
        case HttpReadySpec():
            return ReadyHttp(http=written.http)
        case PortReadySpec():
            return ReadyPort(port=written.port)
        case CommandReadySpec():
            return ReadyCommand(command=written.command)
