"""What a run prints: a line for each task, logs of what failed, a summary; and the record."""

import json

import jsonschema_rs
import pytest
from inline_snapshot import snapshot

from pipec.cli.generated import generated_files
from tests.conftest import Result
from tests.e2e.records import read_records
from tests.e2e.ways import WAYS

PIPELINE = """\
name = "app"

[tasks.build]
inputs = ["src/**"]
outputs = ["out/**"]
cache = true
run = "mkdir -p out && cat src/* > out/all && echo built"

[tasks.lint]
run = "echo linting"

[tasks.test]
depends-on = ["build"]
inputs = ["tests/**"]
outputs = []
cache = true
run = "echo testing; test ! -e tests/broken"

[tasks.deploy]
depends-on = ["test"]
run = "echo deploying"

[jobs.verify]
target = ["test", "lint"]

[jobs.deploy]
target = "deploy"
env = { WHERE = "here" }

[jobs.deploy.params]
level = { type = "int", default = 1 }
"""


@pytest.fixture
def app(project):
    project.write("pipeline.toml", PIPELINE)
    project.write("src/a.txt", "a\n")
    project.write("src/b.txt", "b\n")
    project.write("tests/t", "t\n")
    return project


def run(app, *words):
    """One task at a time, so that the lines come in one order."""
    return app.pipec("run", *words, "--concurrency", "1")


def test_a_first_run_says_so(app):
    assert run(app, "verify") == snapshot(
        Result(
            stdout="",
            stderr="""\
✓ build <time>  miss: no earlier result
✓ lint <time>  disabled
✓ test <time>  miss: no earlier result

3 tasks in <time>: 3 passed
record: .pipec/runs/<run>
""",
            status=0,
        )
    )


def test_a_second_run_is_cached(app):
    run(app, "test")
    assert run(app, "test") == snapshot(
        Result(
            stdout="",
            stderr="""\
= build <time>  hit
= test <time>  hit

2 tasks in <time>: 2 cached (saved <time>)
record: .pipec/runs/<run>
""",
            status=0,
        )
    )


def test_a_miss_names_the_first_changed_file(app):
    run(app, "build")
    app.write("src/a.txt", "other\n")
    app.write("src/c.txt", "new\n")
    assert run(app, "build") == snapshot(
        Result(
            stdout="",
            stderr="""\
✓ build <time>  miss: src/a.txt changed (+1 more)

1 task in <time>: 1 passed
record: .pipec/runs/<run>
""",
            status=0,
        )
    )


def test_a_failed_task_is_shown_with_its_log_and_what_it_kept_from_running(app):
    app.write("tests/broken")
    assert run(app, "deploy") == snapshot(
        Result(
            stdout="",
            stderr="""\
✓ build <time>  miss: no earlier result
✗ test <time>  miss: no earlier result
--- log of test
testing
--- end of test
- did not start: deploy (dependency failed: test)

error[PIPEC_STEP_FAILED]: test: `echo testing; test ! -e tests/broken` ended with exit status 1
3 tasks in <time>: 1 failed, 1 skipped, 1 passed
record: .pipec/runs/<run>
""",
            status=1,
        )
    )


def test_force_runs_everything(app):
    run(app, "test")
    assert run(app, "test", "--force") == snapshot(
        Result(
            stdout="",
            stderr="""\
✓ build <time>  forced
✓ test <time>  forced

2 tasks in <time>: 2 passed
record: .pipec/runs/<run>
""",
            status=0,
        )
    )


@pytest.mark.parametrize(
    ("choice", "shown"),
    [("full", "both"), ("new-only", "new"), ("errors-only", "none"), ("none", "none")],
)
def test_logs_are_printed_as_asked(app, choice, shown):
    run(app, "build")
    output = run(app, "test", "--output-logs", choice).stderr
    assert ("built" in output) is (shown == "both")
    assert ("testing" in output) is (shown in ("both", "new"))


def test_a_prediction_runs_nothing(app):
    assert run(app, "deploy", "--dry") == snapshot(
        Result(
            stdout="""\
run      build   miss: no earlier result
unknown  test    depends on build, which is not cached
run      deploy
3 tasks: 2 would run, 1 may run
""",
            stderr="",
            status=0,
        )
    )
    assert not (app.folder / "out").exists()
    run(app, "build")
    assert run(app, "verify", "--dry") == snapshot(
        Result(
            stdout="""\
cached   build  hit
run      lint   disabled
run      test   miss: no earlier result
3 tasks: 2 would run, 1 cached
""",
            stderr="",
            status=0,
        )
    )


def test_a_prediction_follows_its_schema(app):
    run(app, "build")
    for word in ("verify", "deploy"):
        document = json.loads(run(app, word, "--dry", "--format", "json").stdout)
        validate("run-dry", document)


def test_a_record_on_standard_output_is_the_record_that_is_kept(app):
    result = run(app, "verify", "--format", "json")
    record = json.loads(result.stdout)
    (kept,) = app.folder.glob(".pipec/runs/*/execution.json")
    assert record == json.loads(app.plain(kept.read_bytes()))


def test_a_parameter_reaches_the_task(app):
    app.write("pipeline.toml", PIPELINE.replace("echo deploying", "echo level $PIPEC_PARAM_LEVEL"))
    result = run(app, "deploy", "--param", "level=7", "--output-logs", "full")
    assert "level 7\n" in result.stderr
    assert run(app, "deploy", "--param", "level=high") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_INVALID_PARAM]: `high` is no value for the parameter `level` of job `deploy`
help: an int is written with digits, such as `3`
help: pipec explain PIPEC_INVALID_PARAM
""",
            status=2,
        )
    )


def test_run_task_means_the_task_and_not_the_job(app):
    result = app.pipec("run-task", "deploy", "--format", "json")
    assert "deploy" in [task["id"] for task in json.loads(result.stdout)["tasks"]]
    assert app.pipec("run-task", "verify").status == 2


def test_quiet_still_shows_what_failed(app):
    app.write("tests/broken")
    assert run(app, "test", "-q") == snapshot(
        Result(
            stdout="",
            stderr="""\
✗ test <time>  miss: no earlier result
--- log of test
testing
--- end of test
error[PIPEC_STEP_FAILED]: test: `echo testing; test ! -e tests/broken` ended with exit status 1
""",
            status=1,
        )
    )


def test_verbose_shows_every_command(app):
    assert "$ build: mkdir -p out" in run(app, "build", "-v").stderr


def test_warnings_of_the_file_are_mentioned(app):
    app.write("pipeline.toml", PIPELINE + '\n[named-inputs]\nnobody = ["x"]\n')
    assert run(app, "lint").stderr.splitlines()[0] == snapshot(
        "pipeline.toml has 1 warning: `pipec check` shows more"
    )


def test_why_gives_the_file_and_the_pattern(app):
    run(app, "build")
    app.write("src/a.txt", "other\n")
    assert app.pipec("why", "build", "--now") == snapshot(
        Result(
            stdout="""\
build would run: its inputs are not those of its last success
  src/a.txt  changed  by src/**
""",
            stderr="",
            status=0,
        )
    )
    run(app, "build")
    assert app.pipec("why", "build") == snapshot(
        Result(
            stdout="""\
build passed in run <run>
  miss: src/a.txt changed
  src/a.txt  changed  by src/**
""",
            stderr="",
            status=0,
        )
    )
    assert app.pipec("why", "build", "--run", "latest").stdout == app.pipec("why", "build").stdout
    validate("why", json.loads(app.pipec("why", "build", "--format", "json").stdout))
    assert app.pipec("why", "build", "--now") == snapshot(
        Result(stdout="build is as it was when it last passed\n", stderr="", status=0)
    )


def test_why_names_the_named_input_behind_a_pattern(app):
    app.write(
        "pipeline.toml",
        'name = "app"\n[named-inputs]\nsource = ["src/**", "!src/b.txt"]\n'
        '[tasks.build]\ninputs = ["source", "tests"]\noutputs = []\ncache = true\nrun = "true"\n',
    )
    run(app, "build")
    app.write("src/a.txt", "other\n")
    app.write("src/b.txt", "other\n")
    app.write("tests/new [x].txt", "new\n")
    run(app, "build")
    assert app.pipec("why", "build") == snapshot(
        Result(
            stdout="""\
build passed in run <run>
  miss: src/a.txt changed (+1 more)
  src/a.txt          changed  by src/** (named input `source`)
  tests/new [x].txt  added  by tests
""",
            stderr="",
            status=0,
        )
    )


@pytest.mark.parametrize(
    ("inputs", "source", "by"),
    [
        # What is a file has nothing below it that the exclusion could match.
        (["source"], ["src/**", "!src/**/*.md"], "src/** (named input `source`)"),
        (["src/**", "!src/**/*.md"], [], "src/**"),
        # What a named input leaves out, it does not take from the patterns before it.
        (["src/**", "source"], ["lib/**", "!**/*.txt"], "src/**"),
        (["source", "src/a.txt"], ["src/**"], "src/a.txt"),
    ],
)
def test_why_names_the_pattern_that_decides(app, inputs, source, by):
    app.write(
        "pipeline.toml",
        f'name = "app"\n[named-inputs]\nsource = {json.dumps(source)}\n[tasks.build]\n'
        f'inputs = {json.dumps(inputs)}\noutputs = []\ncache = true\nrun = "true"\n',
    )
    run(app, "build")
    app.write("src/a.txt", "other\n")
    run(app, "build")
    assert (
        json.loads(app.pipec("why", "build", "--format", "json").stdout)["files"][0]["rule"] == by
    )


def test_why_without_a_run_looks_at_the_files(app):
    assert app.pipec("why", "build") == snapshot(
        Result(
            stdout="build would run: it has not passed yet, as far as the cache knows\n",
            stderr="",
            status=0,
        )
    )


def test_why_about_a_failed_and_a_skipped_task(app):
    app.write("tests/broken")
    run(app, "deploy")
    assert app.pipec("why", "test") == snapshot(
        Result(
            stdout="""\
test failed in run <run>
  miss: no earlier result
  `echo testing; test ! -e tests/broken` ended with exit status 1
""",
            stderr="",
            status=0,
        )
    )
    assert app.pipec("why", "deploy") == snapshot(
        Result(
            stdout="""\
deploy skipped in run <run>
  dependency failed: test
""",
            stderr="",
            status=0,
        )
    )
    assert app.pipec("why", "lint", "--run", "latest") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_UNKNOWN_RUN]: `lint` took no part in run `<run>`
help: `pipec why lint` takes the newest run in which it did
help: pipec explain PIPEC_UNKNOWN_RUN
""",
            status=2,
        )
    )


def test_a_key_can_be_explained(app):
    assert app.pipec("key", "build", "--explain") == snapshot(
        Result(
            stdout="""\
<digest>
  inputs        <digest>
  values        <digest>
  dependencies  <digest>
  steps         <digest>
  shell         <digest>
  cwd           <digest>
  outputs       <digest>
  env           <digest>
  env-inputs    <digest>
  matrix        <digest>
  platform      <digest>
  salt          <digest>
""",
            stderr="",
            status=0,
        )
    )
    validate("key", json.loads(app.pipec("key", "build", "--format", "json").stdout))
    assert app.pipec("key", "deploy") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_KEY_NOT_KNOWN]: the key of `deploy` depends on results that are not there yet
help: `pipec run-task deploy` produces them
help: pipec explain PIPEC_KEY_NOT_KNOWN
""",
            status=2,
        )
    )


def test_a_key_changes_with_an_input(app):
    def key():
        return json.loads(app.start("key", "build", "--format", "json").communicate(timeout=60)[0])[
            "key"
        ]

    before = key()
    app.write("src/a.txt", "other\n")
    assert key() != before
    app.write("src/a.txt", "a\n")
    assert key() == before


def test_runs_are_listed_and_shown(app):
    run(app, "build")
    run(app, "verify")
    assert app.pipec("runs", "ls") == snapshot(
        Result(
            stdout="""\
<run>  passed       verify: 3 tasks in <time>
<run>  passed       build: 1 task in <time>
""",
            stderr="",
            status=0,
        )
    )
    assert app.pipec("runs", "show") == snapshot(
        Result(
            stdout="""\
run      <run>
status   passed
targets  verify
started  <when>
took <time>
record   .pipec/runs/<run>

cached     build <time>  hit
passed     lint <time>  disabled
passed     test <time>  miss: no earlier result
""",
            stderr="",
            status=0,
        )
    )
    validate("runs-ls", json.loads(app.pipec("runs", "ls", "--format", "json").stdout))
    newest = max(path.name for path in (app.folder / ".pipec/runs").iterdir())
    assert app.pipec("runs", "show", newest) == app.pipec("runs", "show", "latest")
    assert app.pipec("runs", "show", "1999") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_UNKNOWN_RUN]: no run `1999` is recorded in this project
help: `pipec runs ls` shows every run
help: pipec explain PIPEC_UNKNOWN_RUN
""",
            status=2,
        )
    )


@WAYS
def test_what_a_run_was_given_is_shown(project, way):
    project.write(
        "pipeline.toml",
        "name = 'app'\nenv = { TOKEN = { secret = 'TOKEN' } }\n[tasks.t]\nrun = 'true'\n"
        "[jobs.ship]\ntarget = 't'\nparams = { to = {}, with = {} }\n",
    )
    given = {
        "PIPEC_ENVIRONMENT": "prod-hunter22",
        "PIPEC_APPROVE": "ann, hunter22",
        "TOKEN": "hunter22",
    }
    words = ("run", "ship", *way, "--param", "to=west", "--param", "with=hunter22")
    assert project.pipec(*words, env=given).status == 0
    assert project.pipec("runs", "show").stdout == snapshot("""\
run          <run>
status       passed
targets      ship
params       to=west with=***
environment  prod-***
approved by  ann, ***
started      <when>
took <time>
record       .pipec/runs/<run>

passed     t <time>  disabled
""")
    (request,) = (record["request"] for record in read_records(project.folder))
    shown = json.loads(project.pipec("runs", "show", "--format", "json").stdout)["request"]
    assert shown == request
    assert shown["params"] == {"to": "west", "with": "***"}
    assert (shown["environment"], shown["approved"]) == ("prod-***", ["ann", "***"])


def test_a_run_that_crashed_is_listed_as_interrupted(app):
    run(app, "build")
    (path,) = app.folder.glob(".pipec/runs/*/execution.json")
    path.write_text(path.read_text().replace('"passed"', '"running"'))
    assert app.pipec("runs", "ls").stdout == snapshot(
        "<run>  interrupted  build: 1 task in <time>\n"
    )


def test_gc_removes_what_is_old(app):
    for content in ("1", "2", "3"):
        app.write("src/a.txt", content)
        run(app, "build")
    assert app.pipec("gc", "--keep", "1", "--dry") == snapshot(
        Result(
            stdout="""\
would remove 2 records, 0 cache entries (<size>)
kept 1 record, 3 cache entries (<size>)
""",
            stderr="",
            status=0,
        )
    )
    assert app.pipec("gc", "--keep", "1") == snapshot(
        Result(
            stdout="""\
removed 2 records, 0 cache entries (<size>)
kept 1 record, 3 cache entries (<size>)
""",
            stderr="",
            status=0,
        )
    )
    assert len(list((app.folder / ".pipec/runs").iterdir())) == 1
    validate("gc", json.loads(app.pipec("gc", "--cache-size", "0", "--format", "json").stdout))
    (app.folder / "out" / "all").unlink()
    assert "1 passed" in run(app, "build").stderr
    assert app.pipec("gc", "--cache-size", "much") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_USAGE]: `much` is no size
help: write it as `500MiB` or `5GiB`, or in bytes
help: pipec explain PIPEC_USAGE
""",
            status=2,
        )
    )


def test_the_cache_can_be_looked_at_and_cleared(app):
    assert app.pipec("cache", "info") == snapshot(
        Result(
            stdout="<project>/.pipec/cache: 0 entries, <size>\n",
            stderr="",
            status=0,
        )
    )
    run(app, "build")
    assert app.pipec("cache", "info") == snapshot(
        Result(
            stdout="<project>/.pipec/cache: 1 entry, <size>\n",
            stderr="",
            status=0,
        )
    )
    validate("cache-info", json.loads(app.pipec("cache", "info", "--format", "json").stdout))
    assert app.pipec("cache", "clear") == snapshot(
        Result(
            stdout="",
            stderr="the cache is empty\n",
            status=0,
        )
    )
    assert app.pipec("run", "build", "--dry").stdout.startswith("run")


def test_looking_after_the_cache_works_without_a_right_pipeline(app):
    run(app, "build")
    app.write("pipeline.toml", "name = 3\n")
    assert app.pipec("cache", "clear") == snapshot(
        Result(
            stdout="",
            stderr="""\
pipeline.toml cannot be read: only its default store is known
  `name` has to be text, not a whole number
the cache is empty
""",
            status=0,
        )
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("list", ["list"]),
        ("show", ["show", "build"]),
        ("graph", ["graph"]),
        ("check", ["check"]),
    ],
)
def test_every_document_follows_its_schema(app, name, words):
    validate(name, json.loads(app.pipec(*words, "--format", "json").stdout))


def validate(name, document):
    """Compares a document with its published schema; digests and run ids are placeholders here."""
    schema = json.loads(generated_files()[f"schemas/cli/{name}.schema.json"])
    jsonschema_rs.validate(schema, document)
