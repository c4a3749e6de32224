"""A run as a JUnit report, which every CI system shows: a test case is a task."""

import os
import re
from xml.etree import ElementTree as ET

from pipec.runtime.durations import spell_duration
from pipec.runtime.logs import read_tail
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.summary import describe_verdict

LOG_TAIL = 64 * 1024
"""How much of a failed task's log is in the report, in bytes."""

# What no XML 1.0 document may hold, in whatever form.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(record: RunRecord, folder: str) -> str:
    """The report of a run whose record lies in `folder`. Times are in seconds."""
    suites = ET.Element("testsuites", _counts(record), name="pipec")
    name = f"{record.pipeline}: {' '.join(record.request.targets)}"
    suite = ET.SubElement(suites, "testsuite", _counts(record), name=_legal(name))
    suite.set("timestamp", record.started_at.partition(".")[0])
    suite.set("hostname", "localhost")
    properties = ET.SubElement(suite, "properties")
    for key, value in (
        ("run_id", record.run_id),
        ("status", record.status),
        ("tool_version", record.tool_version),
        ("ir_digest", record.ir_digest),
    ):
        ET.SubElement(properties, "property", name=key, value=value)
    for task in record.tasks:
        _add_case(suite, task, record, folder)
    ET.SubElement(suite, "system-out")
    warnings = "\n".join(_legal(warning.message) for warning in record.warnings)
    ET.SubElement(suite, "system-err").text = warnings
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _counts(record: RunRecord) -> dict[str, str]:
    counts = record.counts
    allowed = sum(task.may_fail is True for task in record.tasks)
    return {
        "tests": str(len(record.tasks)),
        "failures": str(counts.failed - allowed),
        "errors": str(counts.cancelled + counts.running),
        "skipped": str(counts.skipped + counts.waiting + allowed),
        "time": _seconds(record.duration_ms),
    }


def _add_case(suite: ET.Element, task: TaskRecord, record: RunRecord, folder: str) -> None:
    case = ET.SubElement(suite, "testcase", name=_legal(task.id), classname=_legal(record.pipeline))
    case.set("time", _seconds(task.duration_ms))
    if task.status == "failed":
        code = task.error.code if task.error else "failed"
        message = task.error.message if task.error else "the task failed"
        if task.may_fail:
            # The format knows no warnings, and whoever counts failures would call the run one.
            outcome = ET.SubElement(case, "skipped", message=_legal(f"it may fail: {message}"))
        else:
            outcome = ET.SubElement(case, "failure", type=code, message=_legal(message))
        outcome.text = _legal(_how_it_went(task))
    elif task.status in ("cancelled", "running"):
        reason = task.reason or record.reason or "it did not end"
        ET.SubElement(case, "error", type=task.status, message=_legal(reason))
    elif task.status in ("skipped", "waiting"):
        ET.SubElement(case, "skipped", message=_legal(task.reason or "it did not start"))
    if task.log is not None and task.status != "passed":
        tail = read_tail(os.path.join(folder, task.log), LOG_TAIL)
        ET.SubElement(case, "system-out").text = _legal(tail.decode("utf-8", "replace"))
    elif task.status == "cached":
        ET.SubElement(case, "system-out").text = _legal(describe_verdict(task))


def _how_it_went(task: TaskRecord) -> str:
    lines = [f"why it ran: {describe_verdict(task)}"]
    for attempt in task.attempts:
        took = spell_duration(attempt.duration_ms)
        lines.append(f"attempt {attempt.number}: exit status {attempt.exit_code} after {took}")
        lines += [f"  $ {step.command.strip()}" for step in attempt.steps]
    return "\n".join(lines)


def _seconds(duration_ms: int | None) -> str:
    return f"{(duration_ms or 0) / 1000:.3f}"


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
