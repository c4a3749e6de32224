"""A run is sent to a collector of OpenTelemetry."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.conftest import Project
from tests.e2e.collector import open_collector

PIPELINE = """
name = "app"
[tasks.make]
run = ["true", "echo made"]
[tasks.fail]
depends-on = ["make"]
run = "exit 5"
[tasks.after]
depends-on = ["fail"]
run = "true"
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.pipec("run", "after")
    return project


def attributes(span: Span) -> dict[str, object]:
    """Name and value of each attribute."""
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes
    }


def test_a_run_arrives_as_a_trace(app: Project) -> None:
    with open_collector() as collector:
        sent = app.pipec("runs", "export", "--format", "otlp", "--to", collector.url)
    assert sent.status == 0, sent.stderr
    assert sent.stderr.startswith("sent 8 spans to http://127.0.0.1")
    by_name = {span.name: span for span in collector.spans}
    assert list(by_name) == ["app after", "make", "attempt 1", "step 1", "step 2", "fail"]
    run, make, fail = by_name["app after"], by_name["make"], by_name["fail"]
    assert len({span.trace_id for span in collector.spans}) == 1
    assert len({span.span_id for span in collector.spans}) == 8
    assert run.parent_span_id == b""
    assert make.parent_span_id == fail.parent_span_id == run.span_id
    assert [link.span_id for link in fail.links] == [make.span_id]
    assert fail.status.code == Status.STATUS_CODE_ERROR
    assert make.status.code == Status.STATUS_CODE_OK
    told = attributes(fail)
    assert told["cicd.pipeline.task.run.result"] == "failure"
    assert told["error.type"] == "PIPEC_STEP_FAILED"
    assert run.start_time_unix_nano <= make.start_time_unix_nano <= make.end_time_unix_nano
    (resource,) = [one.resource for one in collector.requests[0].resource_spans]
    assert {pair.key: pair.value.string_value for pair in resource.attributes}[
        "service.name"
    ] == "pipec"


def test_a_run_that_is_sent_twice_is_one_trace(app: Project) -> None:
    with open_collector() as collector:
        # A collector is named by the variable that every program with OpenTelemetry knows.
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        for _ in range(2):
            assert app.pipec("runs", "export", "--format", "otlp", env=env).status == 0
    first, second = collector.requests
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(
        deterministic=True
    )


def test_a_collector_that_refuses_is_an_error(app: Project) -> None:
    with open_collector() as collector:
        collector.status = 400
        result = app.pipec("runs", "export", "--format", "otlp", "--to", collector.url)
    assert result.status == 1
    first, *rest = result.stderr.splitlines()
    assert first.startswith("error[PIPEC_EXPORT_REFUSED]: the collector at http://127.0.0.1")
    assert "400" in first.partition("did not take the run")[2]
    assert rest == [
        "help: `--to URL` names another collector; it takes OTLP over HTTP",
        "help: pipec explain PIPEC_EXPORT_REFUSED",
    ]


def test_without_the_extra_one_line_says_what_to_install(app: Project) -> None:
    app.write("without/opentelemetry/__init__.py", "raise ImportError('not installed')\n")
    result = app.pipec(
        "runs",
        "export",
        "--format",
        "otlp",
        "--to",
        "http://127.0.0.1:9",
        env={"PYTHONPATH": str(app.folder / "without")},
    )
    assert result.stderr == (
        "error[PIPEC_MISSING_EXTRA]: sending OpenTelemetry needs its SDK: "
        "`pip install 'pipec[otel]'` installs it\n"
        "help: pipec explain PIPEC_MISSING_EXTRA\n"
    )
    assert result.status == 2
