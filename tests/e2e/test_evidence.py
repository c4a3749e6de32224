"""What a failed run leaves to go on from: context packs, and what prints them."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from inline_snapshot import snapshot

from tests.conftest import Project, Result
from tests.e2e.records import SCHEMAS, read_records

PIPELINE = """
name = "app"

[tasks.build]
inputs = ["src/**", "!src/*.tmp"]
outputs = ["out"]
cache = true
run = "cat src/* > out"

[tasks.test]
depends-on = ["build"]
inputs = ["src/**", "test.sh"]
outputs = []
cache = true
retry = 2
run = ["echo testing", "sh test.sh"]

[jobs.verify]
target = "test"

[jobs.nightly]
target = "test"
env = { MODE = "slow" }
params = { level = { default = "1" } }
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.write("src/a", "1\n")
    project.write("src/b", "1\n")
    project.write("test.sh", "! grep -q bug out\n")
    return project


def read_packs(folder: Path) -> list[dict[str, Any]]:
    """The packs of a project's newest run, each valid."""
    schema = json.loads((SCHEMAS / "context-pack.schema.json").read_text(encoding="utf-8"))
    check = jsonschema_rs.validator_for(schema)
    newest = read_records(folder)[-1]["run_id"]
    packs = []
    for path in sorted((folder / ".pipec/runs" / newest / "context").glob("*")):
        pack = json.loads(path.read_text(encoding="utf-8"))
        check.validate(pack)
        packs.append(pack)
    return packs


def test_a_failed_task_leaves_its_context(app: Project) -> None:
    app.pipec("verify")
    app.write("src/a", "bug\n")
    (app.folder / "src/b").unlink()
    app.write("src/c", "new\n")
    assert app.pipec("verify").status == 1
    (pack,) = read_packs(app.folder)
    (record,) = [one for one in read_records(app.folder) if one["status"] == "failed"]
    assert pack["run_id"] == record["run_id"]
    assert pack["key"] == record["tasks"][1]["key"]
    files = {(file["change"], file["path"], file["rule"]) for file in pack["inputs"]["files"]}
    assert files == {
        ("changed", "src/a", "src/**"),
        ("removed", "src/b", "src/**"),
        ("added", "src/c", "src/**"),
    }
    assert pack["inputs"]["is_complete"]
    assert [part["name"] for part in pack["inputs"]["components"]] == ["inputs", "dependencies"]
    assert {k: pack[k] for k in ("task", "status", "attempts", "exit_code", "command")} == {
        "task": "test",
        "status": "failed",
        "attempts": 2,
        "exit_code": 1,
        "command": "sh test.sh",
    }
    assert pack["log_tail"] == "testing\ntesting\n"
    assert pack["reproduce"] == "pipec run-task test"


def test_a_run_that_passes_leaves_no_context(app: Project) -> None:
    app.pipec("verify")
    assert read_packs(app.folder) == []


def test_more_than_ten_changed_inputs_are_all_listed(app: Project) -> None:
    app.pipec("verify")
    app.write("test.sh", "exit 1\n")
    for number in range(30):
        app.write(f"src/more{number}", "x")
    app.pipec("verify")
    (pack,) = read_packs(app.folder)
    assert len(pack["inputs"]["files"]) == 31
    assert pack["inputs"]["more"] == 0


def test_a_task_that_changed_its_own_inputs_has_the_list_of_its_verdict(app: Project) -> None:
    app.pipec("verify")
    app.write("test.sh", "echo more >> src/a; exit 1\n")
    app.pipec("verify")
    (pack,) = read_packs(app.folder)
    assert not pack["inputs"]["is_complete"]
    assert [file["path"] for file in pack["inputs"]["files"]] == ["test.sh"]


def test_the_first_run_of_a_task_has_nothing_to_compare_with(app: Project) -> None:
    app.write("test.sh", "exit 1\n")
    app.pipec("verify")
    (pack,) = read_packs(app.folder)
    assert not pack["inputs"]["has_baseline"]


def test_a_task_of_a_job_with_an_environment_is_reproduced_by_the_job(app: Project) -> None:
    app.write("test.sh", "exit 1\n")
    app.pipec("run", "nightly", "--param", "level=2 b")
    (pack,) = read_packs(app.folder)
    assert pack["reproduce"] == "pipec run nightly --param 'level=2 b'"


def test_the_command_that_reproduces_a_failure_does(app: Project) -> None:
    app.write("test.sh", "exit 7\n")
    app.pipec("verify")
    (first,) = read_packs(app.folder)
    app.pipec(*first["reproduce"].split()[1:])
    (again,) = read_packs(app.folder)
    assert again["run_id"] != first["run_id"]
    assert again["exit_code"] == first["exit_code"] == 7
    assert again["key"] == first["key"]


@pytest.mark.parametrize(
    "command",
    [
        "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; exit 1",
        "printf '%*s' 9000 '' | tr ' ' x; exit 1",
        r"i=0; while [ $i -lt 3000 ]; do printf '\303\251'; i=$((i+1)); done; exit 1",
        r"i=0; while [ $i -lt 3000 ]; do printf '\377'; i=$((i+1)); done; exit 1",
    ],
    ids=["lines", "one line", "characters of two bytes", "no characters"],
)
def test_the_end_of_a_log_is_at_most_4_kib(project: Project, command: str) -> None:
    project.write("pipeline.toml", f"name='app'\n[tasks.loud]\nrun = '''{command}'''\n")
    project.pipec("run", "loud")
    (pack,) = read_packs(project.folder)
    assert pack["log_is_cut"]
    assert 3000 < len(pack["log_tail"].encode()) <= 4096
    log = (project.folder / ".pipec/runs" / pack["run_id"] / pack["log"]).read_bytes()
    assert log.decode("utf-8", "replace").endswith(pack["log_tail"])
    assert "lines" not in command or pack["log_tail"].startswith("line ")


def test_a_claim_whose_test_is_in_the_log_is_named(app: Project) -> None:
    claims = [
        {"id": "RESTORES", "tests": ["restores outputs"]},
        {"id": "STARTS", "tests": ["starts quickly"]},
    ]
    app.write("tests/claims.json", json.dumps({"claims": claims}))
    app.write("test.sh", "echo 'FAILED restores outputs'; exit 1\n")
    app.pipec("verify")
    (pack,) = read_packs(app.folder)
    assert pack["claims"] == ["RESTORES"]


@pytest.mark.parametrize("text", ["{", "[]", '{"claims": [{"id": 1}]}', '{"claims": {}}'])
def test_a_file_of_claims_that_is_none_has_no_claims(app: Project, text: str) -> None:
    app.write("tests/claims.json", text)
    app.write("test.sh", "exit 1\n")
    app.pipec("verify")
    assert [pack["claims"] for pack in read_packs(app.folder)] == [[]]


def test_a_pack_that_cannot_be_written_hides_nothing(app: Project) -> None:
    # The task itself sees to it that there is a file where the folder would be.
    app.write("test.sh", 'echo no > "$PIPEC_ROOT/.pipec/runs/$PIPEC_RUN_ID/context"; exit 3\n')
    result = app.pipec("verify")
    assert result.status == 1
    assert "PIPEC_STEP_FAILED" in result.stderr
    assert "PIPEC_BUG" not in result.stderr
    told = app.pipec("explain", "--run", "latest", "--format", "json")
    assert json.loads(told.stdout)["failed"][0]["exit_code"] == 3


def test_explain_tells_what_failed_in_a_run(app: Project) -> None:
    app.pipec("verify")
    app.write("src/a", "bug\n")
    app.pipec("verify")
    assert app.pipec("explain", "--run", "latest") == snapshot(
        Result(
            stdout="""\
run <run> failed: 1 task failed

test, after 2 attempts
  error[PIPEC_STEP_FAILED]: `sh test.sh` ended with exit status 1
  ran because of: miss: src/a changed
    ~ src/a
    * dependencies
  .pipec/runs/<run>/logs/test.log:
    testing
    testing
  reproduce: pipec run-task test
""",
            stderr="",
            status=0,
        )
    )


def test_explain_gives_the_same_as_json(app: Project) -> None:
    app.write("test.sh", "exit 1\n")
    app.pipec("verify")
    schema = json.loads((SCHEMAS / "cli/explain.schema.json").read_text(encoding="utf-8"))
    told = json.loads(app.pipec("explain", "--run", "latest", "--format", "json").stdout)
    jsonschema_rs.validator_for(schema).validate(told)
    (pack,) = read_packs(app.folder)
    assert json.dumps(told["failed"]) == app.plain(json.dumps([pack]).encode())


def test_explain_of_a_run_knows_one_task_from_another(app: Project) -> None:
    app.write("test.sh", "exit 1\n")
    app.pipec("verify")
    assert "no task failed" in app.pipec("explain", "build", "--run", "latest").stdout
    assert app.pipec("explain", "tset", "--run", "latest") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_UNKNOWN_RUN]: `tset` took no part in run `<run>`
help: did you mean `test`?
help: pipec explain PIPEC_UNKNOWN_RUN
""",
            status=2,
        )
    )


def test_explain_of_a_task_says_what_changed_since_it_passed(app: Project) -> None:
    app.pipec("verify")
    app.write("src/a", "2\n")
    expected = app.pipec("why", "build", "--now")
    assert expected.stdout == snapshot(
        """\
build would run: its inputs are not those of its last success
  src/a  changed  by src/**
"""
    )
    assert app.pipec("explain", "build", "--diff-inputs") == expected
    assert app.pipec("explain", "build") == expected
    as_json = json.loads(app.pipec("explain", "build", "--diff-inputs", "--format", "json").stdout)
    assert as_json["files"][0]["path"] == "src/a"


def test_explain_does_not_guess_what_will_be_built(app: Project) -> None:
    app.pipec("verify")
    app.write("src/a", "2\n")
    result = app.pipec("explain", "test", "--diff-inputs")
    assert result.stderr.startswith("error[PIPEC_KEY_NOT_KNOWN]")
    assert result.status == 2


@pytest.mark.parametrize(
    "words",
    [[], ["--run", "latest", "--diff-inputs"], ["nosuch", "--diff-inputs"], ["nosuch"]],
    ids=" ".join,
)
def test_explain_says_what_it_cannot_explain(app: Project, words: list[str]) -> None:
    result = app.pipec("explain", *words)
    assert result.status == 2
    assert result.stdout == ""


def test_the_graph_of_a_run_is_kept(app: Project) -> None:
    app.pipec("verify")
    (record,) = read_records(app.folder)
    text = (app.folder / ".pipec/runs" / record["run_id"] / "graph.json").read_text()
    assert json.loads(text) == {
        "schema_version": 1,
        "jobs": [{"id": "verify", "targets": ["test"]}],
        "tasks": [
            {"id": "build", "depends_on": []},
            {"id": "test", "depends_on": ["build"]},
        ],
    }


def test_a_record_without_a_graph_is_told_by_the_pipeline_that_ran(app: Project) -> None:
    app.pipec("verify")
    app.pipec("verify")
    newest = read_records(app.folder)[-1]
    (app.folder / ".pipec/runs" / newest["run_id"] / "graph.json").unlink(missing_ok=True)
    app.write("pipeline.toml", "name = 'other'\n[tasks.x]\nrun = 'true'\n")
    told = json.loads(app.pipec("runs", "export", "--format", "graph").stdout)
    assert told["jobs"] == [{"id": "verify", "targets": ["test"]}]
    assert told["tasks"] == [
        {"id": "build", "depends_on": []},
        {"id": "test", "depends_on": ["build"]},
    ]
