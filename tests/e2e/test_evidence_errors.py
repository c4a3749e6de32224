"""Whoever asks for evidence in a wrong way is told what to type instead."""

import pytest

from pipec import run_cli
from pipec.api.command_line import CliResult
from tests.conftest import Project

PIPELINE = """
name = "app"

[tasks.make]
inputs = ["in"]
outputs = ["out"]
cache = true
run = "cat in > out; echo made"

[tasks.quiet]
depends-on = ["make"]
run = "true"

[tasks.called]
outputs = ["out2"]
run = { call = "steps:work" }

[tasks.fail]
run = "exit 3"
outputs = ["out3"]

[tasks.after]
depends-on = ["fail", "server"]
run = "true"

[tasks.server]
service = { ready = "up" }
run = "echo up; sleep 60"

[jobs.verify]
target = ["quiet", "after"]
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.write("in", "1")
    project.pipec("run", "make")
    project.pipec("verify", "--continue", "always")
    return project


def called(app: Project, *words: str) -> CliResult:
    return run_cli(words, cwd=app.folder, env=app.environment)


HELPING = 2
"""What to type instead, and the page of the code."""

WRONG = [
    ["runs", "lst"],
    ["runs", "show", "nosuch"],
    ["runs", "show", "20"],
    ["runs", "open", "nosuch"],
    ["runs", "open", "--task", "make"],
    ["runs", "open", "--task", "after"],
    ["runs", "open", "--task", "quiet"],
    ["runs", "open", "--task", "nosuch"],
    ["runs", "export", "nosuch"],
    ["runs", "export", "--format", "xml"],
    ["runs", "export", "--format", "otlp"],
    ["runs", "export", "--format", "otlp", "--out", "x", "--to", "http://localhost:1"],
    ["runs", "export", "--format", "otlp", "--to", "localhost"],
    ["runs", "export", "--format", "otlp", "--to", "http://127.0.0.1:1"],
    ["runs", "export", "--to", "http://localhost:1"],
    ["runs", "export", "--out", "no/such/folder"],
    ["explain"],
    ["explain", "nosuch"],
    ["explain", "PIPEC_NOSUCH"],
    ["explain", "--run", "nosuch"],
    ["explain", "nosuch", "--run", "latest"],
    ["explain", "--run", "latest", "--diff-inputs"],
    ["explain", "nosuch", "--diff-inputs"],
    ["why"],
    ["why", "nosuch"],
    ["why", "verify"],
    ["why", "make", "--run", "nosuch"],
    ["why", "make", "--run", "latest", "--now"],
    ["profile", "nosuch"],
    ["profile", "--cores", "0"],
    ["profile", "--cores", "many"],
    ["doctor", "make"],
    ["audit"],
    ["audit", "nosuch"],
    ["audit", "called"],
    ["audit", "server"],
    ["audit", "after"],
    ["verify", "--twice"],
    ["verify", "--twice", "nosuch"],
    ["verify", "--twice", "make", "quiet"],
    ["verify", "--twice", "quiet"],
    ["verify", "--twice", "called"],
    ["mcp", "--alow-run"],
    ["mcp", "make"],
]


def test_an_error_says_what_to_type(app: Project) -> None:
    wanting = []
    for words in WRONG:
        result = called(app, *words)
        assert result.exit_code in (1, 2), words
        assert result.stdout == "", words
        told = [line for line in result.stderr.splitlines() if line.startswith("help: ")]
        if len(told) < HELPING or not told[-1].startswith("help: pipec explain PIPEC_"):
            wanting.append((words, result.stderr))
    assert wanting == []


def test_without_any_run_it_says_what_leaves_one(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    for words in (["runs", "show"], ["runs", "open"], ["profile"], ["explain", "--run", "latest"]):
        assert "help: `pipec run JOB` leaves a record\n" in called(project, *words).stderr


def test_runs_alone_lists_them(app: Project) -> None:
    assert called(app, "runs") == called(app, "runs", "ls")
    assert len(called(app, "runs").stdout.splitlines()) == 2


def test_what_is_meant_is_found_among_tasks_and_codes(app: Project) -> None:
    assert "did you mean `make`?" in called(app, "explain", "maek").stderr
    assert "did you mean `unknown-field`?" in called(app, "explain", "unknown-feild").stderr
    far = called(app, "explain", "PIPEC_QUITE_ELSEWHERE").stderr
    assert "did you mean" not in far
