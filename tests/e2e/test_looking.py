"""Commands that look at a pipeline and run nothing: list, show, graph, compile, check, explain."""

import json

import pytest
from inline_snapshot import snapshot

from tests.conftest import Result

PIPELINE = """\
name = "app"
description = "An app"

[named-inputs]
source = ["src/**/*.ts", "!src/**/*.test.ts"]

[tasks.typecheck]
inputs = ["source"]
run = "tsc"

[tasks.build]
description = "Bundle the app"
depends-on = ["typecheck"]
inputs = ["source", "package.json"]
outputs = ["dist/**", { glob = "maps/**", optional = true }]
cache = { ttl = "1h" }
timeout = "5m"
retry = 2
requires = { tools = ["node"] }
env = { MODE = "prod", TOKEN = { secret = "NPM_TOKEN" }, WHO = { var = "USER", default = "me" } }
run = ["echo one", { argv = ["node", "a b.js"] }]

[tasks.test]
depends-on = ["build"]
run = "node --test"

[tasks.test.matrix]
node = ["20", "22"]

[jobs.verify]
description = "All that must pass"
target = ["test"]

[jobs.types]
target = "typecheck"
"""


@pytest.fixture
def app(project):
    project.write("pipeline.toml", PIPELINE)
    return project


def test_list_names_jobs_then_tasks(app):
    assert app.pipec("list") == snapshot(
        Result(
            stdout="""\
app: An app

Jobs
  types          runs typecheck
  verify         All that must pass

Tasks
  build          Bundle the app
  test[node=20]
  test[node=22]
  typecheck
""",
            stderr="",
            status=0,
        )
    )


def test_list_gives_the_same_as_json(app):
    assert json.loads(app.pipec("list", "--format", "json").stdout) == snapshot(
        {
            "schema_version": 1,
            "name": "app",
            "jobs": [
                {"id": "types", "targets": ["typecheck"], "triggers": [], "params": []},
                {
                    "id": "verify",
                    "targets": ["test[node=20]", "test[node=22]"],
                    "triggers": [],
                    "params": [],
                    "description": "All that must pass",
                },
            ],
            "tasks": [
                {
                    "id": "build",
                    "depends_on": ["typecheck"],
                    "is_cached": True,
                    "description": "Bundle the app",
                },
                {"id": "test[node=20]", "depends_on": ["build"], "is_cached": False},
                {"id": "test[node=22]", "depends_on": ["build"], "is_cached": False},
                {"id": "typecheck", "depends_on": [], "is_cached": False},
            ],
            "description": "An app",
        }
    )


def test_show_fills_in_the_defaults(app):
    assert app.pipec("show", "build") == snapshot(
        Result(
            stdout="""\
build
  description   Bundle the app
  needs         typecheck
  needed by     test[node=20]
                test[node=22]
  jobs          verify
  steps         echo one
                ["node", "a b.js"]
  inputs        source
                package.json
  outputs       dist/**
                maps/** (optional)
  cache         file:local, for <time>
  env           MODE = prod
                TOKEN = secret NPM_TOKEN
                WHO = variable USER, else me
  shell         sh -e -c
  attempts      2
  timeout <time>
  tools         node
""",
            stderr="",
            status=0,
        )
    )


def test_show_gives_the_node_of_the_ir_as_json(app):
    document = json.loads(app.pipec("show", "typecheck", "--format", "json").stdout)
    assert document == snapshot(
        {
            "schema_version": 1,
            "tasks": [
                {
                    "id": "typecheck",
                    "task": {
                        "inputs": [{"named": "source"}],
                        "steps": [{"command": "tsc", "kind": "shell"}],
                    },
                    "dependents": ["build"],
                    "jobs": ["types", "verify"],
                }
            ],
        }
    )
    ir = json.loads(app.pipec("compile", "--format", "json").stdout)
    assert document["tasks"][0]["task"] == ir["tasks"]["typecheck"]


def test_show_takes_the_name_of_a_matrix_for_all_its_tasks(app):
    assert app.pipec("show", "test").stdout.count("matrix") == 2
    assert len(json.loads(app.pipec("show", "test", "--format", "json").stdout)["tasks"]) == 2


def test_show_knows_tasks_and_not_jobs(app):
    assert app.pipec("show", "verify") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_UNKNOWN_TARGET]: this pipeline has no task `verify`
help: `verify` is a job; it runs `test[node=20]`, `test[node=22]`
help: pipec explain PIPEC_UNKNOWN_TARGET
""",
            status=2,
        )
    )


def test_graph_draws_the_whole_pipeline(app):
    assert app.pipec("graph") == snapshot(
        Result(
            stdout="""\
types (job)
└── typecheck
verify (job)
├── test[node=20]
│   └── build
│       └── typecheck
└── test[node=22]
    └── build (above)
""",
            stderr="",
            status=0,
        )
    )


def test_graph_draws_one_target(app):
    assert app.pipec("graph", "build", "--format", "dot") == snapshot(
        Result(
            stdout="""\
digraph pipeline {
  rankdir=LR;
  node [shape=box];
  "typecheck";
  "build";
  "typecheck" -> "build";
}
""",
            stderr="",
            status=0,
        )
    )


def test_graph_gives_nodes_and_edges_as_json(app):
    assert json.loads(app.pipec("graph", "types", "--format", "json").stdout) == snapshot(
        {
            "schema_version": 1,
            "jobs": [{"id": "types", "targets": ["typecheck"]}],
            "tasks": [{"id": "typecheck", "depends_on": []}],
        }
    )


def test_compile_sums_up(app):
    assert app.pipec("compile") == snapshot(
        Result(
            stdout="""\
name    app
tasks   4
jobs    2
digest  <digest>
""",
            stderr="",
            status=0,
        )
    )


def test_compile_prints_the_bytes_of_the_digest(app):
    result = app.pipec("compile", "--format", "json")
    assert list(json.loads(result.stdout)) == sorted(json.loads(result.stdout))
    assert result.stdout.count("\n") == 1


def test_looking_leaves_nothing_but_the_compiled_pipeline(app):
    for words in (["list"], ["graph"], ["show", "build"], ["compile"], ["check"]):
        app.pipec(*words)
    kept = {p.relative_to(app.folder).as_posix() for p in app.folder.rglob("*") if p.is_file()}
    # And the note that keeps the state folder out of git.
    assert {path for path in kept if not path.startswith(".pipec/cache/ir/")} == {
        "pipeline.toml",
        ".pipec/.gitignore",
    }


def test_check_says_that_all_is_well(app):
    assert app.pipec("check") == snapshot(
        Result(stdout="pipeline.toml: 4 tasks, 2 jobs, 0 warnings\n", stderr="", status=0)
    )


def test_check_reports_every_mistake_at_once(app):
    app.write(
        "pipeline.toml",
        'name = "app"\n[tasks.a]\nrun = "x"\ntimout = 3\n[tasks.b]\ndepends-on = ["c"]\n',
    )
    assert app.pipec("check") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_UNKNOWN_FIELD]: a task has no key `timout`
 --> pipeline.toml:4:1
  |
4 | timout = 3
  | ^^^^^^ did you mean `timeout`?
  |
help: pipec explain PIPEC_UNKNOWN_FIELD

error[PIPEC_UNKNOWN_TASK]: there is no task `c`
 --> pipeline.toml:6:15
  |
6 | depends-on = ["c"]
  |               ^^^
  |
help: pipec explain PIPEC_UNKNOWN_TASK
pipeline.toml: 2 errors
""",
            status=1,
        )
    )
    assert json.loads(app.pipec("check", "--format", "json").stdout) == snapshot(
        {
            "schema_version": 1,
            "errors": 2,
            "warnings": 0,
            "findings": [
                {
                    "code": "PIPEC_UNKNOWN_FIELD",
                    "severity": "error",
                    "message": "a task has no key `timout`",
                    "help": [],
                    "places": [
                        {
                            "line": 4,
                            "column": 1,
                            "end_line": 4,
                            "end_column": 7,
                            "text": "did you mean `timeout`?",
                        }
                    ],
                },
                {
                    "code": "PIPEC_UNKNOWN_TASK",
                    "severity": "error",
                    "message": "there is no task `c`",
                    "help": [],
                    "places": [
                        {"line": 6, "column": 15, "end_line": 6, "end_column": 18, "text": ""}
                    ],
                },
            ],
            "path": "pipeline.toml",
        }
    )
    assert app.pipec("list").status == 2


def test_check_finds_patterns_without_files(app):
    app.write("src/main.ts")
    result = app.pipec("check", "--files")
    assert result == snapshot(
        Result(
            stdout="pipeline.toml: 4 tasks, 2 jobs, 1 warning\n",
            stderr="""\
warning[PIPEC_PATTERN_MATCHES_NOTHING]: an input of `build` matches no file
  --> pipeline.toml:14:21
   |
14 | inputs = ["source", "package.json"]
   |                     ^^^^^^^^^^^^^^
   |
help: pipec explain PIPEC_PATTERN_MATCHES_NOTHING
""",
            status=0,
        )
    )
    app.write("package.json")
    assert app.pipec("check", "--files").stderr == ""


def test_check_without_a_file_could_not_be_done(project):
    assert project.pipec("check") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_NO_PIPELINE]: no pipeline in `<project>` or in any folder above it
help: a pipeline is a file called `pipeline.toml`, `pipeline.yaml`, `pipeline.yml`, `pipec.toml`, `pipec.yaml` or `pipec.yml`
help: `pipec init` writes one
help: pipec explain PIPEC_NO_PIPELINE
""",  # noqa: E501
            status=2,
        )
    )


def test_explain_prints_the_page_of_a_code(project):
    result = project.pipec("explain", "PIPEC_USAGE")
    assert result.stdout.startswith("# PIPEC_USAGE\n")
    assert project.pipec("explain", "usage") == result


def test_explain_suggests_the_nearest_code(project):
    assert project.pipec("explain", "PIPEC_UNKNOWN_FELD") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_USAGE]: there is no code `PIPEC_UNKNOWN_FELD`
help: did you mean `PIPEC_UNKNOWN_FIELD`?
help: pipec explain PIPEC_USAGE
""",
            status=2,
        )
    )


def test_a_long_chain_is_listed_drawn_and_compiled(project):
    tasks = [
        f'[tasks.t{i:05}]\ndepends-on = ["t{i - 1:05}"]\n' if i else "[tasks.t00000]\n"
        for i in range(10_000)
    ]
    project.write("pipeline.toml", 'name = "long"\n' + "".join(tasks))
    assert project.pipec("compile").stdout == snapshot("""\
name    long
tasks   10000
jobs    0
digest  <digest>
""")
    assert project.pipec("graph").status == 0
    assert project.pipec("show", "t09999").status == 0
