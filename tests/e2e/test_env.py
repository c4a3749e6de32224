"""`pipec env`: what a task would see, and where each value comes from."""

import json
import re

import pytest
from inline_snapshot import snapshot

from tests.conftest import Result

PIPELINE = """\
name = "deploy"
env-files = [".env", { path = "local.env", optional = true }]

[env]
REGION = { var = "DEPLOY_REGION", default = "eu" }
ENDPOINT = { var = "DEPLOY_REGION", map = { eu = "https://eu", us = "https://us" }, default = "eu" }
MODE = "pipeline"

[tasks.upload]
env = { TOKEN = { secret = "DEPLOY_TOKEN" }, MODE = "task" }
requires = { secrets = ["SIGN_KEY"] }
run = [{ sh = "env -0 > seen" }, { sh = "env -0 > step", env = { MODE = "step", URL = "u" } }]

[tasks.test]
env-mode = "strict"
env-inputs = ["LANGUAGE_*"]
run = "true"
matrix = { os = ["a", "b"] }

[jobs.release]
target = ["upload", "test"]
env = { MODE = "job", STAGE = "live" }
params = { level = "int", who = { default = "me" } }

[jobs.other]
target = "test"
"""


@pytest.fixture
def deploy(project):
    project.write("pipeline.toml", PIPELINE)
    project.write(".env", "FROM_FILE=1\nMODE=file\n")
    return project


def test_each_value_has_its_source(deploy):
    result = deploy.pipec("env", "upload", env={"DEPLOY_TOKEN": "hunter2", "REGION": "north"})
    assert re.sub(" {3,}", "  ", result.stdout) == snapshot(
        """\
upload
  ENDPOINT  https://eu  pipeline: default, as DEPLOY_REGION is not set, through its map
  FROM_FILE  1  env file .env
  MODE  task  task, over that of the env file and the pipeline
  PIPEC_ATTEMPT  (set for each attempt)  pipec
  PIPEC_ROOT  <project>  pipec
  PIPEC_RUN_ID  (set for each run)  pipec
  PIPEC_SESSION_STORE  (set for each run)  pipec
  PIPEC_TASK  upload  pipec
  REGION  north  pipeline: variable DEPLOY_REGION, found as REGION
  TOKEN  ***  task: secret DEPLOY_TOKEN
step 2
  MODE  step  step, over that of the task
  URL  u  step
host
  loose: all 7 variables of the host
  SIGN_KEY: missing, required by the task
missing
  `upload` requires the secret `SIGN_KEY`, which is not set
"""
    )
    assert (result.stderr, result.status) == ("", 0)


def test_a_job_adds_its_values_and_parameters(deploy):
    result = deploy.pipec("env", "upload", "--job", "release")
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert rows[0] == "upload in release"
    assert "MODE task task, over that of the env file and the pipeline and the job" in rows
    assert "STAGE live job" in rows
    assert "PIPEC_PARAM_LEVEL (missing) pipec: parameter" in rows
    assert "PIPEC_PARAM_WHO me pipec: parameter" in rows


def test_what_is_missing_is_said_and_does_not_fail(deploy):
    (deploy.folder / ".env").unlink()
    env = {"DEPLOY_REGION": "mars"}
    result = deploy.pipec("env", "upload", "--job", "release", env=env)
    assert result.stdout.partition("\nmissing\n")[2] == snapshot(
        """\
  the env file `.env` does not exist
  `ENDPOINT` has no entry for the value of `DEPLOY_REGION`: there are `eu`, `us`
  `TOKEN` needs the secret `DEPLOY_TOKEN`, which is not set
  the parameter `level` has no default: `--param level=…` gives it
  `upload` requires the secret `SIGN_KEY`, which is not set
"""
    )
    assert result.status == 0


def test_a_strict_task_sees_few_of_the_host_s_variables(deploy):
    result = deploy.pipec("env", "test[os=a]", env={"LANGUAGE_UI": "fr", "EDITOR": "vi"})
    host = result.stdout.partition("host\n")[2]
    assert "HOME, LANG, LANGUAGE_UI, PATH" in host
    assert "EDITOR" not in host


def test_a_runner_s_credential_is_withheld(deploy):
    result = deploy.pipec("env", "upload", env={"GITHUB_TOKEN": "t"})
    assert "  but GITHUB_TOKEN\n" in result.stdout


def test_the_name_of_a_matrix_means_each_of_its_tasks(deploy):
    document = json.loads(deploy.pipec("env", "test", "--format", "json").stdout)
    assert [task["task"] for task in document["tasks"]] == ["test[os=a]", "test[os=b]"]
    matrix = [
        variable["value"]
        for task in document["tasks"]
        for variable in task["variables"]
        if variable["kind"] == "matrix"
    ]
    assert matrix == ["a", "b"]


def test_no_secret_is_printed_not_even_within_another_value(deploy):
    secrets = {"DEPLOY_TOKEN": "hunter2", "SIGN_KEY": "sesame!", "DEPLOY_REGION": "eu"}
    deploy.write(".env", "LEAK=http://me:hunter2@host/sesame!\n")
    for form in ("text", "json"):
        printed = deploy.pipec("env", "upload", "--format", form, env=secrets)
        assert "http://me:***@host/***" in printed.stdout
        assert "hunter2" not in printed.stdout + printed.stderr
        assert "sesame!" not in printed.stdout + printed.stderr


def test_what_is_printed_is_what_the_task_sees(deploy):
    host = {"DEPLOY_TOKEN": "hunter2", "SIGN_KEY": "sesame!", "DEPLOY_REGION": "us"}
    words = ("--job", "release", "--format", "json")
    told = json.loads(deploy.pipec("env", "upload", *words, env=host).stdout)["tasks"][0]
    run = deploy.pipec("run", "release", "--param", "level=3", env=host)
    assert run.status == 0, run.stderr
    seen, of_step = (
        dict(pair.split("=", 1) for pair in deploy.read(name).rstrip("\0").split("\0"))
        for name in ("seen", "step")
    )
    # The shell sets these for itself.
    kept = {name for name in seen if name not in ("_", "PWD", "OLDPWD", "SHLVL")}
    assert kept == {value["name"] for value in told["variables"]} | set(told["host"]["passes"])
    for value in told["variables"]:
        if "value" in value:
            expected = "hunter2" if value["kind"] == "secret" else value["value"]
            assert seen[value["name"]] == expected.replace("<project>", str(deploy.folder))
    for value in told["steps"][0]["variables"]:
        assert of_step[value["name"]] == value["value"]


def test_a_job_that_does_not_run_the_task_is_refused(deploy):
    assert deploy.pipec("env", "upload", "--job", "other") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_USAGE]: the job `other` does not run `upload`
help: `pipec show upload` names the jobs that do
help: pipec explain PIPEC_USAGE
""",
            status=2,
        )
    )


def test_nothing_is_written_but_the_compiled_pipeline(deploy):
    deploy.pipec("env", "upload")
    written = {
        path.relative_to(deploy.folder).parts[:3] for path in deploy.folder.rglob(".pipec/**/*")
    }
    assert written == {
        (".pipec", ".gitignore"),
        (".pipec", "cache"),
        (".pipec", "cache", "ir"),
    }
