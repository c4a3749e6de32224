"""Commands that tell what a run would be, for people and for those who spread it over machines."""

import json
from typing import Any

import jsonschema_rs

from tests.conftest import Project
from tests.e2e.records import SCHEMAS

PIPELINE = """\
name = "app"

[tasks.build]
inputs = ["src/**"]
outputs = ["out"]
cache = true
run = "cat src/* > out"

[tasks.test]
depends-on = ["build"]
run = "echo $PIPEC_PARAM_LEVEL"
matrix = { python = ["3.11", "3.12"], os = ["a"] }

[jobs.verify]
target = ["build", "test"]
params = { level = { default = "1" } }
"""


def printed(project: Project, name: str, *words: str) -> Any:
    """The answer for programs, which keeps to its schema."""
    document = json.loads(project.start(*words, "--format", "json").communicate()[0])
    schema = json.loads((SCHEMAS / f"cli/{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(document)
    return document


def test_a_plan_is_a_run_that_only_talks(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("src/a", "x")
    project.pipec("run", "build")
    for words in (
        ("verify", "--param", "level=2"),
        ("build", "--force"),
        ("verify", "--filter", "build"),
        ("test", "--only", "--", "-k", "one"),
    ):
        assert project.pipec("plan", *words) == project.pipec("run", "--dry", *words)
    assert project.pipec("plan", "build").stdout == "cached   build  hit\n1 task: 1 cached\n"
    dry = project.start("run", "verify", "--dry", "--format", "json").communicate()[0]
    assert printed(project, "run-dry", "plan", "verify") == json.loads(dry)
    assert len(list((project.folder / ".pipec/runs").iterdir())) == 1
    nothing = project.pipec("plan")
    assert (nothing.status, nothing.stdout) == (2, "")
    assert "error[PIPEC_USAGE]: there is nothing to plan" in nothing.stderr


def test_metadata_has_the_whole_pipeline(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    document = printed(project, "metadata", "metadata")
    compiled = project.start("compile", "--format", "json").communicate()[0]
    assert document["pipeline"] == json.loads(compiled)
    assert document["file"] == "pipeline.toml"
    digest = json.loads(project.start("metadata", "--format", "json").communicate()[0])["digest"]
    assert project.start("compile").communicate()[0].decode().split()[-1] == digest
    told = dict(line.split() for line in project.pipec("metadata").stdout.splitlines())
    assert (told["tasks"], told["jobs"], told["warnings"]) == ("3", "1", "0")


def test_a_matrix_has_an_entry_for_each_task_of_a_job(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    include = [
        {"task": "build"},
        *({"task": f"test[os=a,python={minor}]", "python": minor, "os": "a"}
          for minor in ("3.11", "3.12")),
    ]  # fmt: skip
    document = printed(project, "matrix", "matrix", "verify")
    assert document == {"schema_version": 1, "include": include}
    github = project.pipec("matrix", "verify", "--format", "github").stdout
    assert github.count("\n") == 1
    assert json.loads(github) == {"include": include}
    ids = [entry["task"] for entry in include]
    assert project.pipec("matrix", "verify").stdout.split() == ids
    # What stands in it can be run.
    assert [project.pipec("plan", name).status for name in ids] == [0, 0, 0]


def test_a_matrix_that_github_would_not_take_is_refused(project: Project) -> None:
    values = json.dumps([str(number) for number in range(257)])
    project.write(
        "pipeline.toml",
        f'name = "app"\n[tasks.t]\nrun = "true"\nmatrix = {{ n = {values} }}\n'
        '[jobs.j]\ntarget = "t"\n',
    )
    result = project.pipec("matrix", "j", "--format", "github")
    assert (result.status, result.stdout) == (2, "")
    assert "the job `j` has 257 tasks, and a matrix of GitHub takes 256" in result.stderr
    assert project.pipec("matrix", "j").stdout.count("\n") == 257
    assert "error[PIPEC_UNKNOWN_TARGET]" in project.pipec("matrix", "t").stderr
