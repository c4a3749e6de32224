"""`pipec import`: what is written where, and what is said about it."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
import tomli
from inline_snapshot import snapshot

from tests.conftest import Result

ROOT = Path(__file__).parents[2]
SCRIPTS = """\
{
  "name": "shelf",
  "scripts": {
    "test": "node --test",
    "prepare": "husky"
  }
}
"""


def test_a_pipeline_is_written_and_reported(project):
    project.write("package.json", SCRIPTS)
    assert project.pipec("import", "package-json") == snapshot(
        Result(
            stdout="""\
2 tasks, 0 jobs from package.json

exact (1)
  package.json:4: script `test`: the package manager runs it as before

approximated (1)
  package.json:5: prepare: when it runs: npm also runs it on install, pipec only when it is asked to
""",
            stderr="wrote pipeline.toml\n",
            status=0,
        )
    )
    assert project.read("pipeline.toml") == snapshot("""\
#:schema ./.pipec/schemas/pipeline.schema.json

name = "shelf"

[tasks.test]
run = "npm run test"

# Approximated: when it runs: npm also runs it on install, pipec only when it is asked to.
[tasks.prepare]
run = "npm run prepare"
""")
    assert project.pipec("check").stderr == ""
    assert project.pipec("fmt", "--check").status == 0
    schema = json.loads(project.read(".pipec/schemas/pipeline.schema.json"))
    jsonschema_rs.validate(schema, tomli.loads(project.read("pipeline.toml")))


def test_yaml_is_written_on_request(project):
    project.write("package.json", SCRIPTS)
    assert project.pipec("import", "package-json", "--yaml").status == 0
    assert project.read("pipec.yaml") == snapshot("""\
# yaml-language-server: $schema=./.pipec/schemas/pipeline.schema.json
name: shelf

tasks:
  test:
    run: npm run test
  # Approximated: when it runs: npm also runs it on install, pipec only when it is asked to.
  prepare:
    run: npm run prepare
""")
    assert project.pipec("fmt", "--check").status == 0


def test_a_pipeline_is_never_written_over_unasked(project):
    project.write("package.json", SCRIPTS)
    project.write("pipeline.toml", "mine")
    refused = project.pipec("import", "package-json")
    assert refused == snapshot(
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
    assert project.pipec("import", "package-json", "--yaml", "--force").status == 2
    assert project.pipec("import", "package-json", "--force").status == 0
    assert tomli.loads(project.read("pipeline.toml"))["name"] == "shelf"


def test_a_dry_import_writes_nothing(project):
    project.write("package.json", SCRIPTS)
    project.write("pipeline.toml", "mine")
    assert project.pipec("import", "package-json", "--dry").stdout.startswith("2 tasks, 0 jobs")
    assert project.read("pipeline.toml") == "mine"
    assert sorted(path.name for path in project.folder.iterdir()) == [
        "package.json",
        "pipeline.toml",
    ]


def test_the_pipeline_can_be_printed(project):
    project.write("package.json", SCRIPTS)
    result = project.pipec("import", "package-json", "--output", "-")
    assert tomli.loads(result.stdout)["name"] == "shelf"
    assert "approximated (1)" in result.stderr
    assert not (project.folder / "pipeline.toml").exists()


def test_a_pipeline_above_its_source_names_the_folder(project):
    project.write("web/package.json", SCRIPTS)
    assert project.pipec("import", "package-json", "web/package.json").status == 0
    assert "cwd" not in tomli.loads(project.read("web/pipeline.toml"))["tasks"]["test"]
    above = ("import", "package-json", "web/package.json", "-o", "pipeline.toml")
    assert project.pipec(*above).status == 0
    assert tomli.loads(project.read("pipeline.toml"))["tasks"]["test"]["cwd"] == "web"
    beside = project.pipec(
        "import", "package-json", "web/package.json", "-o", "other/pipeline.toml"
    )
    assert beside.status == 2
    assert "PIPEC_USAGE" in beside.stderr


def test_a_pipeline_above_its_source_moves_every_path(project):
    text = "V := $(shell cat version)\nout/a.txt: a.txt\n\tmkdir -p out; echo $(V) > $@\n"
    project.write("tool/Makefile", text)
    project.write("tool/version", "1\n")
    project.write("tool/a.txt")
    assert project.pipec("import", "make", "tool/Makefile", "-o", "pipeline.toml").status == 0
    assert tomli.loads(project.read("pipeline.toml"))["tasks"]["out-a-txt"] == {
        "inputs": ["tool/a.txt", {"command": "cd tool && cat version || true"}],
        "outputs": [{"glob": "tool/out/a.txt", "optional": True}],
        "cache": True,
        "cwd": "tool",
        "run": "mkdir -p out; echo $(cat version) > out/a.txt",
    }
    assert project.pipec("run", "out-a-txt").status == 0
    project.write("tool/version", "2\n")
    assert project.pipec("run", "out-a-txt").status == 0
    assert project.read("tool/out/a.txt") == "2\n"


def test_a_workflow_is_imported_into_the_folder_of_its_repository(project):
    project.write(
        ".github/workflows/ci.yml", "on: push\njobs: {a: {runs-on: x, steps: [{run: y}]}}"
    )
    named = ("import", "github", ".github/workflows/ci.yml")
    assert project.pipec(*named).status == 0
    assert tomli.loads(project.read("pipeline.toml"))["tasks"]["a"]["run"] == "y"


def test_the_report_can_be_read_by_programs(project):
    project.write("package.json", SCRIPTS)
    document = json.loads(project.pipec("import", "package-json", "--format", "json").stdout)
    schema = json.loads((ROOT / "schemas/cli/import.schema.json").read_text())
    jsonschema_rs.validate(schema, document)
    assert document["path"] == "pipeline.toml"
    assert [(note["fidelity"], note["line"]) for note in document["notes"]] == [
        ("exact", 4),
        ("approximated", 5),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",),
        ("package-json", "--output", "x.json"),
        ("package-json", "--yaml", "--output", "x.toml"),
        ("package-json", "--output", "-", "--format", "json"),
        (),
    ],
)
def test_a_request_that_cannot_be_meant(project, words):
    project.write("package.json", SCRIPTS)
    result = project.pipec("import", *words)
    assert result.status == 2
    assert "PIPEC_USAGE" in result.stderr


def test_nothing_of_the_project_is_run(project):
    project.write("package.json", '{"scripts": {"test": "touch ran", "prepare": "touch ran"}}')
    assert project.pipec("import", "package-json").status == 0
    assert not (project.folder / "ran").exists()


def test_an_imported_makefile_builds_once(project):
    project.write(
        "Makefile",
        "V := $(shell echo one)\nall: out/b.txt ## Everything\nout/%.txt: src/%.txt | out\n"
        "\techo '$(V)' \"$(X)\" > $@\n\tcat $< >> $@\nout:\n\tmkdir -p $@\n.PHONY: all out\n",
    )
    project.write("src/b.txt", "two\n")
    assert project.pipec("import", "make").status == 0
    assert project.pipec("run", "default", env={"X": "x"}).status == 0
    assert project.read("out/b.txt") == "one x\ntwo\n"
    (project.folder / "out/b.txt").unlink()
    again = project.pipec("run", "default", env={"X": "x"})
    assert "= out-b-txt <time>  hit" in again.stderr
    assert project.read("out/b.txt") == "one x\ntwo\n"
    assert project.pipec("run", "default", env={"X": "y"}).status == 0
    assert project.read("out/b.txt") == "one y\ntwo\n"


def test_imported_recipes_take_their_parameters(project):
    project.write(
        "justfile",
        "greet name='you' *more: (say 'first')\n  echo 'hello {{name}}' {{more}} >> log\n"
        "say what:\n  #!/bin/sh\n  echo {{what}} >> log\n",
    )
    assert project.pipec("import", "just").status == 0
    assert project.pipec("run", "greet").status == 0
    words = ("--param", "name=a b", "--param", "more=c d")
    assert project.pipec("run", "greet", *words).status == 0
    assert project.read("log") == "first\nhello you\nfirst\nhello a b c d\n"


def test_an_imported_taskfile_runs(project):
    project.write(
        "Taskfile.yml",
        "version: '3'\nvars: {V: {sh: echo 1}, N: app}\nenv: {E: two}\ntasks:\n"
        "  default:\n    deps: [gen]\n    cmds: ['echo {{.N}} {{.V}} $E >> log', {task: end}]\n"
        "  gen: echo gen >> log\n  end: {dir: sub, cmds: ['echo end >> ../log']}\n",
    )
    project.write("sub/x")
    assert project.pipec("import", "taskfile").status == 0
    assert project.pipec("run", "default").status == 0
    assert project.read("log") == "gen\napp 1 two\nend\n"


def test_an_imported_workflow_runs_its_commands(project):
    project.write(
        ".github/workflows/ci.yml",
        "on: push\nenv: {A: '1'}\njobs:\n  a:\n    runs-on: x\n"
        "    strategy: {matrix: {v: [1, 2]}}\n"
        "    steps:\n      - uses: actions/checkout@v4\n"
        "      - run: echo $A ${{ matrix.v }} > out-${{ matrix.v }}\n"
        "  b: {needs: a, runs-on: x, steps: [{run: cat out-1 out-2 > all}]}\n",
    )
    assert project.pipec("import", "github").status == 0
    assert project.pipec("run", "b").status == 0
    assert project.read("all") == "1 1\n1 2\n"
