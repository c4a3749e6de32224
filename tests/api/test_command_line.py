"""A command line inside of a program leaves the program as it is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipec
from pipec.testing import Project

PIPELINE = 'name = "p"\n[tasks.say]\nrun = "echo $WORD > said.txt"\n[jobs.verify]\ntarget = "say"\n'


@pytest.fixture
def project() -> Iterator[Project]:
    with Project(env={"WORD": "hello"}) as project:
        project.write("pipeline.toml", PIPELINE)
        yield project


def test_it_prints_what_the_command_prints(project: Project) -> None:
    result = project.pipec("list", "--format", "json")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert '"verify"' in result.stdout


def test_it_runs_in_the_given_folder_and_environment(project: Project) -> None:
    before = (Path.cwd(), dict(os.environ), sys.stdout, sys.stderr)
    result = pipec.run_cli(["verify"], cwd=project.folder, env=project.env)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 passed" in result.stderr
    assert project.read("said.txt") == "hello\n"
    assert (Path.cwd(), dict(os.environ), sys.stdout, sys.stderr) == before


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--version"], 0, ""),
        (["run"], 2, "PIPEC_USAGE"),
        (["no-such"], 2, "no command of pipec"),
        (["check", "--formt", "json"], 2, "did you mean"),
        (["explain", "PIPEC_USAGE"], 0, ""),
    ],
)
def test_exit_codes_and_words_are_those_of_the_command_line(
    project: Project, words: list[str], status: int, said: str
) -> None:
    result = project.pipec(*words)
    assert result.exit_code == status
    assert said in result.stderr


def test_it_says_the_same_as_a_process(project: Project) -> None:
    for words in (["check"], ["graph"], ["show", "say"], ["env", "say"], ["nonsense"], ["--help"]):
        process = subprocess.run(
            [sys.executable, "-m", "pipec", *words],
            cwd=project.folder,
            env=project.env,
            capture_output=True,
            text=True,
            check=False,
        )
        result = project.pipec(*words)
        assert (result.stdout, result.stderr, result.exit_code) == (
            process.stdout,
            process.stderr,
            process.returncode,
        )
