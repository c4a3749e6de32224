"""`pipec init` and `pipec schema`: a first pipeline for a project as it is."""

import json
import subprocess

import jsonschema_rs
import pytest
import tomli
from inline_snapshot import snapshot

from tests.conftest import Result


def test_an_empty_folder_gets_a_pipeline_that_runs(project):
    assert project.pipec("init") == snapshot(
        Result(
            stdout="",
            stderr="""\
wrote pipeline.toml
try: pipec run verify
""",
            status=0,
        )
    )
    assert project.read("pipeline.toml") == snapshot("""\
#:schema ./.pipec/schemas/pipeline.schema.json

name = "project"

[tasks.hello]
run = "echo hello from pipec"

[jobs.verify]
target = ["hello"]
""")
    assert project.pipec("check").stderr == ""
    assert project.pipec("verify").status == 0


def test_the_files_of_the_project_suggest_the_tasks(project):
    project.write("package.json", '{"scripts": {"test": "node --test", "start": "x"}}')
    project.write("pnpm-lock.yaml")
    project.write("pyproject.toml", '[dependency-groups]\ndev = ["pytest", "ruff"]\n')
    project.write("Makefile", "build: x\n\tmake\ndocs := 3\n")
    assert project.pipec("init").stderr == snapshot("""\
wrote pipeline.toml
  test: pnpm run test (from package.json)
  lint: ruff check (from pyproject.toml)
  build: make build (from Makefile)
`pipec import package-json --force` takes over all of it instead
`pipec import make --force` takes over all of it instead
try: pipec run verify
""")
    assert project.read("pipeline.toml") == snapshot("""\
#:schema ./.pipec/schemas/pipeline.schema.json

name = "project"

[tasks.test]
run = "pnpm run test"

[tasks.lint]
inputs = ["**/*.py", "pyproject.toml"]
outputs = []
cache = true
run = "ruff check"

[tasks.build]
run = "make build"

[jobs.verify]
target = ["test", "lint", "build"]
""")
    assert project.pipec("check").stderr == ""


@pytest.mark.parametrize(
    ("files", "name", "command"),
    [
        ({"package.json": '{"name": "@acme/web", "packageManager": "pnpm@9.1.0", SCRIPTS}'},
         "@acme/web", "pnpm run test"),
        ({"package.json": '{"packageManager": "vlt@1", SCRIPTS}', "yarn.lock": ""},
         "project", "yarn run test"),
        ({"package.json": '{"name": "", SCRIPTS}', "bun.lockb": ""}, "project", "bun run test"),
        ({"package.json": '{"name": 3, SCRIPTS}'}, "project", "npm run test"),
        ({"pyproject.toml": 'project.name = "lib"\n# pytest', "uv.lock": ""},
         "lib", "uv run pytest"),
        ({"pyproject.toml": "[project\npytest", "poetry.lock": ""},
         "project", "poetry run pytest"),
        ({"Cargo.toml": '[package]\nname = "tool"\n'}, "tool", "cargo test"),
        ({"Cargo.toml": "package = 3\n"}, "project", "cargo test"),
    ],
)  # fmt: skip
def test_the_name_and_the_way_to_run_are_those_of_the_project(project, files, name, command):
    for path, text in files.items():
        project.write(path, text.replace("SCRIPTS", '"scripts": {"test": "x"}'))
    assert project.pipec("init").status == 0
    written = tomli.loads(project.read("pipeline.toml"))
    assert written["name"] == name
    assert written["tasks"]["test"]["run"] == command


def test_other_runners_suggest_tasks_and_are_never_run(project):
    project.write("justfile", "x := `touch ran`\n\ntest:\n  echo {{x}}\n\nlint:\n  touch ran\n")
    project.write("Taskfile.yml", "version: '3'\ntasks:\n  build: touch ran\n  test: touch ran\n")
    project.write("Makefile", "check := $(shell touch ran)\nbroken\n")
    assert project.pipec("init").stderr == snapshot("""\
wrote pipeline.toml
  lint: just lint (from justfile)
  test: just test (from justfile)
  build: task build (from Taskfile.yml)
`pipec import make --force` takes over all of it instead
`pipec import just --force` takes over all of it instead
`pipec import taskfile --force` takes over all of it instead
try: pipec run verify
""")
    assert not (project.folder / "ran").exists()
    assert project.pipec("fmt", "--check").status == 0


@pytest.mark.parametrize("kind", ["package-json", "make", "just"])
def test_what_init_names_can_be_imported(project, kind):
    project.write("package.json", '{"scripts": {"test": "x", "start": "y"}}')
    project.write("Makefile", "build:\n\tcc a.c\n")
    project.write("justfile", "docs:\n  mk\n")
    assert f"`pipec import {kind} --force`" in project.pipec("init").stderr
    assert project.pipec("import", kind, "--force").status == 0
    assert project.pipec("check").status == 0


def test_a_pipeline_is_never_written_over_unasked(project):
    project.write("pipeline.toml", "mine")
    assert project.pipec("init") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_WOULD_OVERWRITE]: there is a pipeline here: `pipeline.toml`
help: `--force` writes over it
help: pipec explain PIPEC_WOULD_OVERWRITE
""",
            status=2,
        )
    )
    assert project.read("pipeline.toml") == "mine"
    assert project.pipec("init", "--force").status == 0
    assert tomli.loads(project.read("pipeline.toml"))["name"] == "project"


def test_a_pipeline_of_another_name_is_in_the_way_even_so(project):
    project.write("pipec.yaml", "mine")
    assert project.pipec("init", "--force") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_WOULD_OVERWRITE]: there is a pipeline here: `pipec.yaml`
help: remove it first
help: pipec explain PIPEC_WOULD_OVERWRITE
""",
            status=2,
        )
    )
    assert not (project.folder / "pipeline.toml").exists()


@pytest.mark.parametrize("name", ['a "b" c', "é 😀", "tab\there", "line\nbreak"])
def test_any_folder_name_can_be_a_project_name(make_project, name):
    project = make_project(name)
    assert project.pipec("init").status == 0
    assert tomli.loads(project.read("pipeline.toml"))["name"] == name
    assert project.pipec("check").status == 0


def test_the_schema_accepts_what_init_writes(project):
    project.pipec("init")
    schema = json.loads(project.read(".pipec/schemas/pipeline.schema.json"))
    written = project.read(".pipec/schemas/pipeline.schema.json")
    assert project.pipec("schema").stdout == project.plain(written.encode())
    jsonschema_rs.validate(schema, tomli.loads(project.read("pipeline.toml")))


def test_the_schema_goes_where_it_is_asked_to_go(project):
    assert project.pipec("schema", "--out", "deep/schema.json") == snapshot(
        Result(stdout="", stderr="wrote deep/schema.json\n", status=0)
    )
    assert json.loads(project.read("deep/schema.json"))["$schema"].endswith("draft-07/schema#")


@pytest.mark.parametrize("words", [("init",), ("list",), ("run", "a"), ("gc",)])
def test_what_pipec_keeps_stays_out_of_git(project, words):
    if words != ("init",):
        project.write("pipeline.toml", 'name = "app"\n[tasks.a]\nrun = "true"\n')
    subprocess.run(["git", "init", "--quiet", project.folder], check=True)
    assert project.pipec(*words).status == 0
    assert (project.folder / ".pipec").is_dir()
    status = ["git", "-C", project.folder, "status", "--porcelain", "--untracked-files=all"]
    seen = subprocess.run(status, capture_output=True, text=True, check=True)
    assert seen.stdout == "?? pipeline.toml\n"


def test_a_note_that_somebody_removed_stays_away(project):
    project.write("pipeline.toml", 'name = "app"\n[tasks.a]\nrun = "true"\n')
    assert project.pipec("run", "a").status == 0
    (project.folder / ".pipec/.gitignore").unlink()
    assert project.pipec("run", "a").status == 0
    assert not (project.folder / ".pipec/.gitignore").exists()
