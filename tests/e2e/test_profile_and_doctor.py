"""`pipec profile` and `pipec doctor`, as a user meets them."""

import json
import re

import jsonschema_rs
import pytest

from tests.conftest import Project
from tests.e2e.records import SCHEMAS

PIPELINE = """
name = "app"

[tasks.make]
inputs = ["in"]
outputs = ["out"]
cache = true
run = "cat in > out; sleep 0.05"

[tasks.deploy]
depends-on = ["make"]
requires = { tools = ["no-such-tool"], secrets = ["DEPLOY_TOKEN"] }
run = "true"
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    return project


def as_json(project: Project, *words: str) -> dict:
    """What a command prints for programs; it keeps to its schema."""
    out = json.loads(project.pipec(*words, "--format", "json").stdout)
    schema = json.loads((SCHEMAS / f"cli/{words[0]}.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(out)
    return out


def test_a_profile_names_the_critical_path_and_predicts(app: Project) -> None:
    app.pipec("run", "make")
    told = as_json(app, "profile", "--cores", "3")
    assert [task["id"] for task in told["critical_path"]] == ["make"]
    assert {3, 1, 16} <= {what["concurrency"] for what in told["what_if"]}
    assert all(what["duration_ms"] == told["critical_path_ms"] for what in told["what_if"])
    text = app.pipec("profile").stdout
    assert re.search(r"critical path +<time>.*\n  make ", text)
    assert "make <time>  passed" in text


def test_a_cached_run_is_profiled_without_a_snapshot_of_its_graph(app: Project) -> None:
    app.pipec("run", "make")
    app.pipec("run", "make")
    assert as_json(app, "profile", "--cold")["critical_path"][0]["duration_ms"] >= 50
    # Nothing ran: nothing was slow.
    assert "slowest" not in app.pipec("profile").stdout
    assert "slowest" in app.pipec("profile", "--cold").stdout
    assert app.pipec("profile", "nosuch").status == 2


def test_a_run_whose_graph_is_lost_is_not_profiled_by_guessing(app: Project) -> None:
    app.pipec("run", "make")
    for path in (app.folder / ".pipec").rglob("*"):
        if path.name == "graph.json" or path.parent.name == "ir":
            path.unlink()
    app.write("pipeline.toml", "name = 'other'\n[tasks.x]\nrun = 'true'\n")
    result = app.pipec("profile")
    assert "is not known any more" in result.stderr
    assert result.status == 2


def test_doctor_names_what_a_task_would_miss(app: Project) -> None:
    result = app.pipec("doctor")
    assert result.status == 1
    lines = result.stdout.splitlines()
    by_name = {line[2:].split("  ")[0].strip(): line for line in lines}
    assert by_name["tool no-such-tool"].startswith("✗")
    assert "required by `deploy`" in by_name["tool no-such-tool"]
    assert by_name["secret DEPLOY_TOKEN"].startswith("!")
    told = as_json(app, "doctor")
    assert told["errors"] == 1
    assert {check["name"]: check["status"] for check in told["checks"]}["pipeline"] == "ok"


def test_doctor_changes_nothing(app: Project) -> None:
    before = sorted(path.relative_to(app.folder) for path in app.folder.rglob("*"))
    app.pipec("doctor")
    after = sorted(path.relative_to(app.folder) for path in app.folder.rglob("*"))
    assert [path for path in after if path.parts[0] != ".pipec"] == before


def test_doctor_works_without_a_pipeline_and_with_a_wrong_one(project: Project) -> None:
    assert project.pipec("doctor").status == 0
    project.write("pipeline.toml", "name = 'app'\nnmae = 1\n")
    result = project.pipec("doctor")
    assert result.status == 1
    assert "✗ pipeline" in result.stdout


def test_doctor_sees_runs_that_never_ended_and_records_that_are_none(app: Project) -> None:
    app.pipec("run", "make")
    (path,) = (app.folder / ".pipec/runs").glob("*/execution.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, "status": "running"}), encoding="utf-8")
    app.write(".pipec/runs/20000101T000000.000-00000000/execution.json", "{")
    found = app.pipec("doctor").stdout
    assert "1 run never ended" in found
    assert "1 record cannot be read" in found


def test_doctor_names_every_extra(app: Project) -> None:
    told = as_json(app, "doctor")
    extras = {c["name"]: c["status"] for c in told["checks"] if c["name"].startswith("extra")}
    assert extras == {"extra edit": "ok", "extra mcp": "ok", "extra otel": "ok"}
