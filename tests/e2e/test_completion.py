"""Completion in a shell: names of jobs and tasks, by the core alone where a line has only names."""

import os
import subprocess
import sys

import pytest

from pipec.cli.main import VERBS

PIPELINE = """\
name = "app"

[tasks.build]
description = "Bundle the app: all of it"
run = "true"

[tasks.bench]
run = "true"

[tasks.claims.check]
description = "Check `claims` for $5"
run = "true"

[jobs.bundle]
description = "Everything that goes out"
target = "build"

[jobs.build]
target = "bench"
"""

LONG_WAY = "import sys; from pipec.cli.main import main; sys.exit(main(sys.argv[1:]))"
ON_ITS_OWN = "import sys; from pipec import _core; print(_core.answer([]) is not None)"


@pytest.fixture
def app(project):
    project.write("pipeline.toml", PIPELINE)
    assert project.pipec("list").status == 0  # which compiles it
    return project


def shell(name, line):
    """What a shell puts into the environment to have the end of a line completed."""
    if name == "bash":
        words = line.split(" ")
        return {
            "_PIPEC_COMPLETE": "complete_bash",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(len(words) - 1),
        }
    return {
        "_PIPEC_COMPLETE": f"complete_{name.partition(' ')[0]}",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": name.partition(" ")[2],
    }


def call(app, code, env):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=app.folder,
        env={**app.environment, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def bash(app, line):
    return app.pipec(env=shell("bash", line)).stdout.split()


def test_names_are_completed_where_a_command_takes_names(app):
    assert bash(app, "pipec run b") == ["build", "bundle", "bench"]
    assert bash(app, "pipec run build be") == ["bench"]
    assert bash(app, "pipec graph bu") == ["build", "bundle"]
    assert bash(app, "pipec why c") == ["claims.check"]
    assert bash(app, "pipec why build c") == []
    assert bash(app, "pipec run none") == []


def test_a_first_word_is_a_command_or_a_name(app):
    assert bash(app, "pipec bu") == ["build", "bundle"]
    assert set(VERBS) < set(bash(app, "pipec "))


def test_options_are_completed_too(app):
    assert "--force" in bash(app, "pipec run build --f")


@pytest.mark.parametrize(
    "line", ["run ", "run b", "run build b", "graph bu", "show ", "key x", "env c"]
)
@pytest.mark.parametrize("name", ["bash", "zsh", "fish get-args", "fish is-args"])
def test_the_core_alone_says_what_the_long_way_says(app, name, line):
    env = shell(name, f"pipec {line}")
    assert call(app, ON_ITS_OWN, env).stdout == "True\n"
    long_way = call(app, LONG_WAY, env)
    alone = app.pipec(env=env)
    assert (alone.stdout, alone.status) == (long_way.stdout, long_way.returncode)


def test_nothing_is_completed_where_there_is_no_pipeline(project):
    assert bash(project, "pipec run b") == []


def test_the_shell_itself_offers_the_names(app, tmp_path):
    script = app.pipec("completions", "bash").stdout
    called = tmp_path / "bin" / "pipec"
    called.parent.mkdir()
    called.write_text(f'#!/bin/sh\nexec {sys.executable} -m pipec "$@"\n')
    called.chmod(0o755)
    code = (
        f"{script}\nCOMP_WORDS=(pipec run bu); COMP_CWORD=2\n"
        '_pipec_completion pipec; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", code],
        cwd=app.folder,
        env={**app.environment, "PATH": f"{called.parent}{os.pathsep}{app.environment['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "build bundle\n"


@pytest.mark.parametrize(
    "words", [["list"], ["graph"], ["graph", "bundle"], ["graph", "--format", "dot"]]
)
def test_looking_without_python_shows_what_the_long_way_shows(app, words):
    alone = call(app, f"from pipec import _core; print(_core.answer({words!r})[0], end='')", env={})
    long_way = call(app, LONG_WAY.replace("sys.argv[1:]", repr(words)), env={})
    assert alone.stdout == long_way.stdout != ""
