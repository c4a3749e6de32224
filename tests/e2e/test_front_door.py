"""The front door: what it answers by itself, what it refuses, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.conftest import Result

PIPELINE = """\
name = "app"

[tasks.build]
run = "echo building"

[tasks.test]
depends-on = ["build"]
run = "echo testing"

[jobs.verify]
target = "test"
"""


@pytest.fixture
def app(project):
    project.write("pipeline.toml", PIPELINE)
    return project


@pytest.mark.parametrize("words", [["--version"], ["version"], ["-C", ".", "version"]])
def test_the_version_is_one_line(project, words):
    result = project.pipec(*words)
    assert (result.stdout, result.stderr, result.status) == snapshot(("pipec 0.1.0\n", "", 0))


def test_a_job_needs_no_verb(app):
    with_verb, without = app.pipec("run", "verify"), app.pipec("verify")
    assert without == with_verb
    assert without.status == 0


def test_an_unknown_word_is_answered_with_the_nearest_verb_and_target(app):
    assert app.pipec("lst") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_UNKNOWN_TARGET]: `lst` is no command of pipec, and no job or task of this pipeline
help: did you mean `list`?
help: pipec explain PIPEC_UNKNOWN_TARGET
""",
            status=2,
        )
    )
    assert app.pipec("verfiy") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_UNKNOWN_TARGET]: `verfiy` is no command of pipec, and no job or task of this pipeline
help: did you mean `verify`?
help: pipec explain PIPEC_UNKNOWN_TARGET
""",
            status=2,
        )
    )


def test_an_unknown_word_without_a_pipeline_is_no_command(project):
    assert project.pipec("grpah") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_USAGE]: pipec has no command `grpah`, and there is no pipeline here that has such a job
help: did you mean `graph`?
help: pipec explain PIPEC_USAGE
""",
            status=2,
        )
    )


def test_an_unknown_option_is_answered_with_the_nearest_one(app):
    assert app.pipec("run", "verify", "--concurency", "2") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_USAGE]: `pipec run` has no option `--concurency`
help: did you mean `--concurrency`?
help: pipec explain PIPEC_USAGE
""",
            status=2,
        )
    )
    assert app.pipec("list", "--formt", "json") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_USAGE]: `pipec list` has no option `--formt`
help: did you mean `--format`?
help: pipec explain PIPEC_USAGE
""",
            status=2,
        )
    )
    assert app.pipec("--zzz") == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_USAGE]: `pipec` has no option `--zzz`
help: `pipec --help` shows how it is used
help: pipec explain PIPEC_USAGE
""",
            status=2,
        )
    )


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "verify", "--format", "xml"],
        ["run", "verify", "--concurrency", "many"],
        ["run", "verify", "--concurrency", "0"],
        ["run", "verify", "--param", "x"],
        ["run", "verify", "--param", "x=1"],
        ["run-task", "build", "test"],
        ["run-task", "verify"],
        ["list", "extra"],
        ["cache"],
        ["-C"],
        ["-C", "nowhere", "list"],
        ["-f", "nowhere.toml", "list"],
        ["--color", "sometimes", "list"],
    ],
    ids=" ".join,
)
def test_a_wrong_request_ends_with_2_and_says_what_would_be_right(app, words):
    result = app.pipec(*words)
    assert result.status == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error[PIPEC_")
    assert "help: " in result.stderr
    assert "Traceback" not in result.stderr


def test_options_of_every_command_stand_before_or_after_it(app):
    app.write("deep/er/x")
    expected = app.pipec("list")
    assert app.pipec("-C", "..", "list", cwd="deep") == expected
    assert app.pipec("list", "-C", "..", cwd="deep") == expected
    assert app.pipec("list", "--directory=../..", cwd="deep/er") == expected
    assert app.pipec("list", "-f", "../pipeline.toml", cwd="deep") == expected


def test_an_unexpected_error_asks_for_a_report(app):
    app.write(
        "sabotage/sitecustomize.py",
        "import pipec.plan.select as s\ns.select = lambda *a, **k: 1 / 0\n",
    )
    path = os.pathsep.join([str(app.folder / "sabotage"), app.environment["PYTHONPATH"]])
    words = ("run", "verify", "-C", ".")
    result = app.pipec(*words, env={"PYTHONPATH": path})
    assert result == snapshot(
        Result(
            stdout="",
            stderr="""\
error[PIPEC_BUG]: ZeroDivisionError: division by zero
help: this is a bug in pipec: please report it with the pipeline file and the command
help: `PIPEC_DEBUG=1` prints where it happened
""",
            status=2,
        )
    )
    traced = app.pipec(*words, env={"PYTHONPATH": path, "PIPEC_DEBUG": "1"})
    assert traced.stderr.startswith("Traceback (most recent call last)")


def test_a_reader_that_goes_away_ends_it_with_141(app):
    names = "\n".join(f"[tasks.t{i:030}]\n" for i in range(5000))
    app.write("pipeline.toml", f'name = "app"\n{names}')
    process = app.start("list")
    process.stdout.read(1)
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_folder_that_is_gone_is_an_error(app):
    (app.folder / "gone").mkdir()
    code = "import os, runpy, sys; os.rmdir(os.getcwd()); sys.argv = ['pipec', 'list']; "
    done = subprocess.run(
        [sys.executable, "-c", f"{code} runpy.run_module('pipec', run_name='__main__')"],
        cwd=app.folder / "gone",
        capture_output=True,
        check=False,
    )
    assert (done.stdout, app.plain(done.stderr), done.returncode) == snapshot(
        (
            b"",
            """\
error[PIPEC_USAGE]: the folder in which pipec was called is gone
help: pipec explain PIPEC_USAGE
""",
            2,
        )
    )


def test_a_full_disk_behind_the_output_is_an_error(app):
    with Path("/dev/full").open("wb") as full:
        process = app.start("list", stdout=full)
        _, err = process.communicate(timeout=60)
    assert (app.plain(err), process.returncode) == snapshot(
        (
            """\
error[PIPEC_OUTPUT_UNWRITABLE]: cannot write the output: No space left on device
help: pipec explain PIPEC_OUTPUT_UNWRITABLE
""",
            2,
        )
    )


def test_a_run_goes_on_when_its_output_cannot_be_written(app):
    with Path("/dev/full").open("wb") as full:
        process = app.start("verify", "--format", "jsonl", stdout=full)
        _, err = process.communicate(timeout=60)
        without_words = app.start("verify", stderr=full)
        without_words.communicate(timeout=60)
    assert (process.returncode, without_words.returncode) == (2, 0)
    assert "PIPEC_OUTPUT_UNWRITABLE" in app.plain(err)
    records = [
        json.loads(path.read_text()) for path in app.folder.glob(".pipec/runs/*/execution.json")
    ]
    assert [record["status"] for record in records] == ["passed", "passed"]


@pytest.mark.parametrize(
    ("words", "env", "coloured"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color=never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_decided_by_option_then_environment(app, words, env, coloured):
    assert ("\x1b[" in app.pipec("run", "build", *words, env=env).stderr) is coloured


def test_quiet_says_nothing_about_what_went_well(app):
    assert app.pipec("verify", "-q") == snapshot(Result(stdout="", stderr="", status=0))


def test_no_word_at_all_is_a_request_for_help(project):
    result = project.pipec()
    assert result.stdout == project.pipec("--help").stdout
    assert result.status == 0


@pytest.mark.parametrize("words", [["run"], ["runs", "ls"]], ids=" ".join)
def test_help_is_printed_as_data(project, words):
    result = project.pipec(*words, "--help")
    assert (result.stderr, result.status) == ("", 0)
    assert result.stdout.startswith(f"Usage: pipec {' '.join(words)} ")
    assert f"Examples:\n    pipec {' '.join(words)}" in result.stdout


def test_the_entry_point_is_the_module(project):
    script = Path(sys.executable).with_name("pipec")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == project.pipec("--version").stdout


def test_a_run_as_json_is_one_document(app):
    result = app.pipec("verify", "--format", "json")
    assert json.loads(result.stdout)["status"] == "passed"


def test_a_run_as_json_lines_is_one_event_a_line(app):
    result = app.pipec("verify", "--format", "jsonl")
    events = [json.loads(line)["event"] for line in result.stdout.splitlines()]
    assert (events[0], events[-1]) == ("run_started", "run_finished")
    assert result.stderr == ""
