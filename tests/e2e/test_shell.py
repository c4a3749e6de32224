"""`pipec shell`: a task's folder and environment for whoever wants to look around in it."""

import os
import pty
import re

import pytest

from tests.conftest import Project

PIPELINE = """\
name = "deploy"
env = { MODE = "pipeline", REGION = { var = "DEPLOY_REGION", default = "eu" } }

[tasks.upload]
cwd = "web"
env = { TOKEN = { secret = "DEPLOY_TOKEN" } }
run = "env -0 > seen"

[tasks.strict]
env-mode = "strict"
requires = { secrets = ["SIGN_KEY"] }
run = "true"

[tasks.test]
run = "true"
matrix = { os = ["a", "b"] }

[jobs.release]
target = "upload"
env = { STAGE = "live" }
params = { level = { default = "high" } }
"""


@pytest.fixture
def deploy(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.write("web/page.html")
    project.environment |= {"DEPLOY_TOKEN": "hunter2", "SIGN_KEY": "sesame", "FROM_HOST": "1"}
    return project


def variables(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.split("\0") if line)


def test_a_command_sees_what_the_task_sees(deploy: Project) -> None:
    deploy.pipec("run", "release")
    seen = variables(deploy.read("web/seen"))
    words = ("shell", "upload", "--job", "release", "--", "env", "-0")
    shown = variables(deploy.start(*words).communicate()[0].decode())
    assert shown["TOKEN"] == "hunter2"
    assert shown["PIPEC_PARAM_LEVEL"] == "high"
    of_a_run = {"PIPEC_RUN_ID", "PIPEC_ATTEMPT", "PIPEC_SESSION_STORE"}
    of_a_shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert {*seen} - {*shown} - of_a_shell == of_a_run
    alike = {name: value for name, value in seen.items() if name in {*shown} - of_a_shell}
    assert alike == {name: value for name, value in shown.items() if name in alike}


def test_it_is_where_the_task_would_run_and_its_end_is_the_end(deploy: Project) -> None:
    result = deploy.pipec("shell", "upload", "--", "sh", "-c", "pwd; ls; exit 7")
    assert result.stdout == "<project>/web\npage.html\n"
    assert result.status == 7
    assert not (deploy.folder / ".pipec/runs").exists()


def test_a_strict_task_has_few_variables(deploy: Project) -> None:
    shown = variables(deploy.pipec("shell", "strict", "--", "env", "-0").stdout)
    assert "FROM_HOST" not in shown
    assert (shown["SIGN_KEY"], shown["REGION"]) == ("sesame", "eu")


def test_without_words_it_is_the_user_s_own_shell_on_the_terminal(deploy: Project) -> None:
    asked = deploy.write("ask.sh", '#!/bin/sh\nread line\necho "$0 heard $line in $MODE"\n')
    asked.chmod(0o755)
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"hello\n")
        process = deploy.start("shell", "upload", env={"SHELL": str(asked)}, stdin=theirs)
        out = process.communicate()[0].decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert out == f"{asked} heard hello in pipeline\n"


REFUSED = {
    ("shell", "nosuch"): "PIPEC_UNKNOWN_TARGET",
    ("shell", "test"): "PIPEC_AMBIGUOUS_TASK",
    ("shell", "strict", "--job", "release"): "PIPEC_USAGE",
    ("shell", "upload", "--", "./no-such-program"): "PIPEC_USAGE",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_cannot_be_opened_says_why(deploy: Project, words: tuple[str, ...]) -> None:
    result = deploy.pipec(*words)
    assert result.status == 2
    assert re.findall(r"^error\[(\w+)\]", result.stderr, re.MULTILINE) == [REFUSED[words]]


@pytest.mark.parametrize(("task", "name"), [("upload", "DEPLOY_TOKEN"), ("strict", "SIGN_KEY")])
def test_a_secret_that_is_missing_is_named_as_in_a_run(
    deploy: Project, task: str, name: str
) -> None:
    del deploy.environment[name]
    result = deploy.pipec("shell", task, "--", "true")
    assert result.status == 2
    assert result.stderr == deploy.pipec("run-task", task).stderr
    assert "error[PIPEC_MISSING_SECRET]" in result.stderr
    assert name in result.stderr
