"""Events as lines of JSON."""

import io
import json

from pipec.cli.console import Console
from pipec.cli.report.jsonlines import JsonLinesReporter
from pipec.runtime.events import OutputChunk, TaskFinished
from pipec.runtime.record import TaskRecord


def test_a_character_that_was_cut_is_whole_in_the_next_line() -> None:
    out = io.StringIO()
    reporter = JsonLinesReporter(Console(out, io.StringIO(), color=False))
    for task, data in [("a", b"\xe4\xb8"), ("b", b"x"), ("a", b"\x96\xff"), ("b", b"\xe4")]:
        reporter(OutputChunk(at_ms=1, task=task, data=data))
    for task in ("a", "b"):
        reporter(TaskFinished(at_ms=2, task=TaskRecord(id=task, status="passed")))
    said = {"a": "", "b": ""}
    for line in map(json.loads, out.getvalue().splitlines()):
        if line["event"] == "output_chunk":
            assert line["text"]
            said[line["task"]] += line["text"]
    assert said == {"a": "\u4e16\ufffd", "b": "x\ufffd"}
