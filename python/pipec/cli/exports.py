"""Gives a recorded run in the forms of other tools: one function a form."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pipec.cli.invocation import Invocation
from pipec.cli.options import UsageError
from pipec.codes import Code
from pipec.errors import PipecError, PlanError, RunError
from pipec.runtime.evidence.chrome_trace import chrome_trace
from pipec.runtime.evidence.context_pack import read_packs
from pipec.runtime.evidence.graph import jobs_of, needs_of
from pipec.runtime.evidence.junit import junit_report
from pipec.runtime.evidence.reading import run_record
from pipec.runtime.record import RunRecord, to_json
from pipec.runtime.records import run_folder

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def export_run(root: str, data: Mapping[str, Any], form: str) -> str:
    """A run in one of the forms of `EXPORTS`, as text."""
    return EXPORTS[form](root, typed_record(data))


def send_run(
    invocation: Invocation, root: str, data: Mapping[str, Any], url: str | None
) -> tuple[int, str]:
    """Sends a run to a collector of OpenTelemetry; gives the number of spans, and where they went.

    Raises:
        PipecError: the extra is not installed.
        UsageError: nobody says where to send it.
        RunError: the collector cannot be reached, or does not take it.
    """
    where = url or invocation.environ.get(ENDPOINT)
    if not where:
        raise UsageError(
            "`--format otlp` needs a collector",
            help=("`--to http://localhost:4318` names one", f"or set `{ENDPOINT}`"),
        )
    if not where.startswith(("http://", "https://")):
        raise UsageError(
            f"`{where}` is no address of a collector", help=("it begins with http://",)
        )
    try:
        from pipec.runtime.evidence.telemetry import export_spans
    except ImportError:
        message = "sending OpenTelemetry needs its SDK: `pip install 'pipec[otel]'` installs it"
        raise PipecError(Code.MISSING_EXTRA, message) from None
    record = typed_record(data)
    try:
        spans = export_spans(record, needs_of(root, record) or {}, where)
    except OSError as error:
        help_ = ("`--to URL` names another collector; it takes OTLP over HTTP",)
        raise RunError(Code.EXPORT_REFUSED, str(error), help=help_) from error
    return spans, where


def typed_record(data: Mapping[str, Any]) -> RunRecord:
    """The record as a value.

    Raises:
        PlanError: another version wrote it, or it is damaged.
    """
    try:
        return run_record(data)
    except ValueError as error:
        message = f"the record of run `{data.get('run_id')}` cannot be understood: {error}"
        raise PlanError(Code.UNKNOWN_RUN, message) from error


def _trace(root: str, record: RunRecord) -> str:
    return _json(chrome_trace(record, needs_of(root, record)))


def _junit(root: str, record: RunRecord) -> str:
    return junit_report(record, run_folder(root, record.run_id))


def _graph(root: str, record: RunRecord) -> str:
    needs = needs_of(root, record)
    if needs is None:
        message = f"what waited for what in run `{record.run_id}` is not known any more"
        help_ = ("`pipec graph` draws the pipeline as it is now",)
        raise PlanError(Code.UNKNOWN_RUN, message, help=help_)
    tasks = [{"id": task, "depends_on": list(waited_for)} for task, waited_for in needs.items()]
    jobs = to_json(jobs_of(root, record))
    return _json({"schema_version": 1, "jobs": jobs, "tasks": tasks})


def _context(root: str, record: RunRecord) -> str:
    return _json(read_packs(root, record))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


EXPORTS: Mapping[str, Callable[[str, RunRecord], str]] = {
    "trace": _trace,
    "junit": _junit,
    "graph": _graph,
    "context": _context,
}
