"""`pipec runs export` and `pipec runs open`: a run for other tools, and for a pager."""

import json
import os
import pty
from xml.etree import ElementTree as ET

import pytest
from inline_snapshot import snapshot

from tests.conftest import Project, Result
from tests.e2e.records import read_records
from tests.trace_events import check_trace

PIPELINE = r"""
name = "app <&>"

[tasks.make]
inputs = ["in"]
outputs = ["out"]
cache = true
run = ["cat in > out", "echo made"]

[tasks.beside]
run = "true"

[tasks.fail]
depends-on = ["make", "beside"]
retry = 2
run = '''printf 'bad \001 \033[31m <b> ]]> \377\n'; exit 5'''

[tasks.after]
depends-on = ["fail"]
run = "true"

[jobs.verify]
target = "after"
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    return project


def test_a_trace_keeps_the_rules_of_its_format(app: Project) -> None:
    app.pipec("verify")
    trace = json.loads(app.pipec("runs", "export").stdout)
    assert check_trace(trace) == []
    slices = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert {event["name"] for event in slices if event["cat"] == "task"} == {
        "make", "beside", "fail"
    }  # fmt: skip
    assert [event["name"] for event in slices if event["cat"] == "attempt"].count("attempt 2") == 1
    assert sum(event["ph"] == "s" for event in trace["traceEvents"]) == 2


def test_tasks_at_the_same_time_are_in_different_lanes(project: Project) -> None:
    # Each waits for the other: they can only end beside each other.
    meet = "touch {0}; i=0; while ! test -e {1}; do sleep 0.01; done"
    project.write(
        "pipeline.toml",
        "name = 'app'\n"
        f"[tasks.one]\nrun = '{meet.format('one', 'two')}'\n"
        f"[tasks.two]\nrun = '{meet.format('two', 'one')}'\n",
    )
    project.pipec("run", "one", "two", "--concurrency", "2")
    trace = json.loads(project.pipec("runs", "export").stdout)
    assert check_trace(trace) == []
    tasks = [event for event in trace["traceEvents"] if event.get("cat") == "task"]
    assert sorted(event["tid"] for event in tasks) == [1, 2]
    counts = [e["args"]["tasks"] for e in trace["traceEvents"] if e["ph"] == "C"]
    assert max(counts) == 2
    assert counts[-1] == 0


@pytest.mark.parametrize("state", ["cached", "crashed"])
def test_every_kind_of_run_can_be_traced(app: Project, state: str) -> None:
    app.pipec("run", "make")
    if state == "cached":
        app.pipec("run", "make")
    else:
        (record,) = read_records(app.folder)
        del record["finished_at"], record["duration_ms"], record["exit_code"]
        record["status"] = record["tasks"][0]["status"] = "running"
        del record["tasks"][0]["duration_ms"]
        path = app.folder / ".pipec/runs" / record["run_id"] / "execution.json"
        path.write_text(json.dumps(record), encoding="utf-8")
    assert check_trace(json.loads(app.pipec("runs", "export").stdout)) == []
    app.pipec("runs", "export", "--format", "junit", "--out", "report.xml")
    assert ET.fromstring(app.read("report.xml")).get("tests") == "1"


def test_the_validator_of_traces_finds_mistakes() -> None:
    task = {"ph": "X", "name": "a", "pid": 1, "tid": 1, "ts": 0, "dur": 10}
    arrow = {"ph": "s", "name": "n", "cat": "d", "pid": 1, "tid": 2, "ts": 3, "id": 1}
    assert check_trace({"traceEvents": [task]}) == []
    for mistake in (
        {"traceEvents": [{**task, "dur": -1}]},
        {"traceEvents": [{**task, "ts": "0"}]},
        {"traceEvents": [task, {**task, "ts": 5}]},
        {"traceEvents": [task, arrow]},
        {"traceEvents": [{"ph": "Z"}]},
        {"traceEvents": [{**task, "cname": "mauve"}]},
        {"traceEvents": {}},
        [],
    ):
        assert check_trace(mistake) != []


def test_a_junit_report_has_a_case_for_each_task(app: Project) -> None:
    app.pipec("verify")
    app.pipec("runs", "export", "--format", "junit", "--out", "report.xml")
    suites = ET.fromstring(app.read("report.xml"))
    (suite,) = suites
    assert suites.tag == "testsuites"
    numbers = {"tests": "4", "failures": "1", "errors": "0", "skipped": "1"}
    assert {name: suite.get(name) for name in numbers} == numbers
    assert suite.get("name") == "app <&>: verify"
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert [child.tag for child in cases["make"]] == []
    failure = cases["fail"].find("failure")
    assert failure is not None
    assert failure.get("type") == "PIPEC_STEP_FAILED"
    assert "exit status 5" in (failure.get("message") or "")
    # What no XML may hold is replaced, and what would be markup is text.
    assert cases["fail"].findtext("system-out") == "bad \ufffd \ufffd[31m <b> ]]> \ufffd\n" * 2
    skipped = cases["after"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "dependency failed: fail"


def test_a_failure_that_is_allowed_is_none_in_a_junit_report(project: Project) -> None:
    project.write(
        "pipeline.toml",
        """
        name = "app"
        [tasks.flaky]
        run = "echo said; exit 3"
        allow-failure = true
        """,
    )
    assert project.pipec("run", "flaky").status == 0
    project.pipec("runs", "export", "--format", "junit", "--out", "report.xml")
    (suite,) = ET.fromstring(project.read("report.xml"))
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")
    (case,) = suite.iter("testcase")
    assert case.find("failure") is None
    skipped = case.find("skipped")
    assert skipped is not None
    assert (skipped.get("message") or "").startswith("it may fail: ")
    assert case.findtext("system-out") == "said\n"


def test_an_export_goes_to_a_file(app: Project) -> None:
    app.pipec("run", "make")
    assert app.pipec("runs", "export", "--out", "trace.json") == Result("", "wrote trace.json\n", 0)
    assert check_trace(json.loads(app.read("trace.json"))) == []
    refused = app.pipec("runs", "export", "--out", "no/such/folder.json")
    assert refused.stderr.startswith("error[PIPEC_STATE_UNWRITABLE]")
    assert refused.status == 1


def test_an_export_that_makes_no_sense_is_refused(app: Project) -> None:
    app.pipec("run", "make")
    for words in (
        ["--to", "http://localhost:1"],
        ["--format", "otlp", "--out", "x"],
        ["--format", "otlp"],
        ["--format", "otlp", "--to", "localhost"],
    ):
        result = app.pipec("runs", "export", *words)
        assert result.status == 2
        assert result.stderr.startswith("error[PIPEC_USAGE]")
    assert app.pipec("runs", "export", "nosuch").status == 2


def test_the_context_of_a_run_is_exported(app: Project) -> None:
    app.pipec("verify")
    (pack,) = json.loads(app.pipec("runs", "export", "--format", "context").stdout)
    assert pack["task"] == "fail"


def test_open_names_a_file_where_there_is_no_terminal(app: Project) -> None:
    app.pipec("verify")
    assert app.pipec("runs", "open").stdout == "<project>/.pipec/runs/<run>/summary.md\n"
    log = app.pipec("runs", "open", "latest", "--task", "fail").stdout
    assert log == "<project>/.pipec/runs/<run>/logs/fail.log\n"
    assert app.pipec("runs", "open", "--task", "after") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_UNKNOWN_RUN]: `after` has no log in run `<run>`
help: it did not run: `pipec runs show` says why
help: pipec explain PIPEC_UNKNOWN_RUN
""",
            status=2,
        )
    )


def test_open_starts_the_pager_on_a_terminal(app: Project) -> None:
    app.pipec("verify")
    ours, theirs = pty.openpty()
    process = app.start("runs", "open", env={"PAGER": "cat -n"}, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    assert process.wait() == 0
    assert b"# app <&>: verify" in shown
    assert shown.lstrip().startswith(b"1")
