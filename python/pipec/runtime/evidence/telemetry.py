"""A run as spans of OpenTelemetry, sent over OTLP/HTTP. Part of the extra `otel`.

Names of attributes are those of the semantic conventions for CI/CD where these have one. The ids
are made from the run's, so that sending a run twice gives one trace.
"""

import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode
from opentelemetry.util.types import AttributeValue

from pipec import _core
from pipec.runtime.evidence.moments import epoch_ms
from pipec.runtime.record import AttemptRecord, RunRecord, TaskRecord
from pipec.runtime.summary import describe_verdict

_NS = 1_000_000
_TIMEOUT_S = 10
_AT_ONCE = 1000
_RESULTS = {
    "passed": "success",
    "cached": "success",
    "failed": "failure",
    "skipped": "skip",
    "cancelled": "cancellation",
    "interrupted": "cancellation",
}


def export_spans(
    record: RunRecord,
    needs: Mapping[str, Sequence[str]],
    url: str,
    *,
    timeout_s: float = _TIMEOUT_S,
) -> int:
    """Sends a run to the collector at `url` (without `/v1/traces`), and gives the number of spans.

    `needs`: what each task waited for; its span is linked to theirs.

    Raises:
        OSError: the collector cannot be reached, or does not take it.
    """
    spans = list(spans_of(record, needs))
    _reach(url, timeout_s)
    said = _Said()
    exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=timeout_s)
    with said.listening():
        try:
            for start in range(0, len(spans), _AT_ONCE):
                batch = spans[start : start + _AT_ONCE]
                if exporter.export(batch) is not SpanExportResult.SUCCESS:
                    raise OSError(f"the collector at {url} did not take the run: {said.last}")
        finally:
            exporter.shutdown()  # type: ignore[no-untyped-call]
    return len(spans)


def _reach(url: str, timeout_s: float) -> None:
    """Connects once: the exporter would try for seconds, and not say what was wrong."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout_s).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(f"the collector at {url} cannot be reached: {reason}") from error


class _Said(logging.Handler):
    """What the exporter says, which it says only to its log."""

    last = "no reason given"

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage().partition("\n")[0]

    @contextmanager
    def listening(self) -> Iterator[None]:
        logger = logging.getLogger("opentelemetry")
        before, logger.propagate = logger.propagate, False
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.propagate = before


def spans_of(record: RunRecord, needs: Mapping[str, Sequence[str]]) -> Iterator[ReadableSpan]:
    """The run, its tasks, their attempts and steps."""
    return _Trace(record, needs).spans()


class _Trace:
    def __init__(self, record: RunRecord, needs: Mapping[str, Sequence[str]]) -> None:
        self._record = record
        self._needs = needs
        self._trace_id = int(_core.digest("pipec trace id v1", record.run_id.encode())[:32], 16)
        # Not `Resource.create`: it adds an id of its own to every process that sends.
        self._resource = Resource({"service.name": "pipec", "service.version": record.tool_version})
        self._scope = InstrumentationScope("pipec", record.tool_version)

    def spans(self) -> Iterator[ReadableSpan]:
        record = self._record
        start = epoch_ms(record.started_at)
        root = self._context("run")
        yield self._span(
            f"{record.pipeline} {' '.join(record.request.targets)}",
            root,
            None,
            (start, start + self._length(start)),
            {
                "cicd.pipeline.name": record.pipeline,
                "cicd.pipeline.run.id": record.run_id,
                "cicd.pipeline.result": _RESULTS.get(record.status, record.status),
                "pipec.status": record.status,
                "pipec.exit_code": record.exit_code if record.exit_code is not None else -1,
                "pipec.concurrency": record.request.concurrency,
                "pipec.time_saved_ms": record.time_saved_ms,
                "pipec.ir_digest": record.ir_digest,
            },
            error=record.reason or "failed" if record.status == "failed" else None,
        )
        for task in record.tasks:
            if task.started_at is not None:
                yield from self._task(task, root)

    def _length(self, start: int) -> int:
        """How long the run took: what is known of one that did not end."""
        if self._record.duration_ms is not None:
            return self._record.duration_ms
        tasks = (task for task in self._record.tasks if task.started_at is not None)
        ends = [epoch_ms(task.started_at or "") + (task.duration_ms or 0) for task in tasks]
        return max(0, max(ends, default=start) - start)

    def _task(self, task: TaskRecord, root: SpanContext) -> Iterator[ReadableSpan]:
        context = self._context(f"task {task.id}")
        start = epoch_ms(task.started_at or "")
        told: dict[str, AttributeValue] = {
            "cicd.pipeline.task.name": task.id,
            "cicd.pipeline.task.run.id": f"{self._record.run_id}/{task.id}",
            "cicd.pipeline.task.run.result": _RESULTS.get(task.status, task.status),
            "pipec.status": task.status,
            "pipec.why": describe_verdict(task),
        }
        if task.key is not None:
            told["pipec.key"] = task.key
        if task.error is not None:
            told["error.type"] = task.error.code
        if task.origin is not None:
            told["pipec.origin.run_id"] = task.origin.run_id
        links = [
            Link(self._context(f"task {need}"), {"pipec.relation": "needs"})
            for need in self._needs.get(task.id, ())
        ]
        error = task.error.message if task.error else None
        bounds = (start, start + (task.duration_ms or 0))
        yield self._span(task.id, context, root, bounds, told, error=error, links=links)
        for attempt in task.attempts:
            yield from self._attempt(task, attempt, context)

    def _attempt(
        self, task: TaskRecord, attempt: AttemptRecord, parent: SpanContext
    ) -> Iterator[ReadableSpan]:
        name = f"task {task.id} attempt {attempt.number}"
        context = self._context(name)
        start = epoch_ms(attempt.started_at)
        bounds = (start, start + attempt.duration_ms)
        told: dict[str, AttributeValue] = {
            "pipec.attempt": attempt.number,
            "process.exit.code": attempt.exit_code,
        }
        failed = f"exit status {attempt.exit_code}" if attempt.exit_code else None
        yield self._span(f"attempt {attempt.number}", context, parent, bounds, told, error=failed)
        for index, step in enumerate(attempt.steps):
            start = epoch_ms(step.started_at)
            told = {"process.command_line": step.command, "process.exit.code": step.exit_code}
            if step.signal is not None:
                told["pipec.signal"] = step.signal
            if step.timed_out:
                told["pipec.timed_out"] = True
            yield self._span(
                f"step {index + 1}",
                self._context(f"{name} step {index}"),
                context,
                (start, start + step.duration_ms),
                told,
                error=f"exit status {step.exit_code}" if step.exit_code else None,
            )

    def _span(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        bounds: tuple[int, int],
        told: Mapping[str, AttributeValue],
        *,
        error: str | None,
        links: Sequence[Link] = (),
    ) -> ReadableSpan:
        events = []
        if error is not None:
            events.append(Event("exception", {"exception.message": error}, bounds[1] * _NS))
        return ReadableSpan(
            name=name,
            context=context,
            parent=parent,
            resource=self._resource,
            attributes=told,
            events=events,
            links=links,
            kind=SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR, error) if error is not None else Status(StatusCode.OK),
            start_time=bounds[0] * _NS,
            end_time=bounds[1] * _NS,
            instrumentation_scope=self._scope,
        )

    def _context(self, what: str) -> SpanContext:
        name = f"{self._record.run_id} {what}".encode()
        span_id = int(_core.digest("pipec span id v1", name)[:16], 16)
        return SpanContext(
            self._trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
        )
