"""A run with everything in place: what it may import, and that it starts no process."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pipec

PIPELINE = """\
name = "app"

[tasks.build]
inputs = ["src/**"]
outputs = ["out/**"]
cache = true
run = "mkdir -p out && cat src/* > out/all"

[tasks.test]
depends-on = ["build"]
inputs = ["tests/**"]
outputs = []
cache = true
run = "test -s out/all"

[jobs.verify]
target = "test"
"""

# What a cached run may import, besides pipec itself.
ALLOWED = {
    "_ast", "_collections", "_functools", "_heapq", "_json", "_opcode", "_operator", "_sre",
    "_typing", "_weakrefset", "abc", "ast", "atexit", "collections", "contextlib", "copy",
    "copyreg", "dataclasses", "dis", "enum", "fcntl", "functools", "heapq", "importlib",
    "inspect", "itertools", "json", "keyword", "linecache", "opcode", "operator", "os", "re",
    "reprlib", "runpy", "token", "tokenize", "types", "typing", "warnings", "weakref",
}  # fmt: skip
MOST_MODULES = 70

WATCH = """\
import atexit, sys

started = []
bare = set(sys.modules)

def watch(event, arguments):
    if event.split(".")[0] in {"pipec", "subprocess", "socket"} or event in {
        "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"
    }:
        started.append(event)

sys.addaudithook(watch)

def report():
    modules = sorted(set(sys.modules) - bare)
    with open(__file__ + ".report", "w") as file:
        file.write(repr({"modules": modules, "started": started}))

atexit.register(report)

# The front door leaves without any clean-up.
import os

leave = os._exit

def report_and_leave(status):
    report()
    leave(status)

os._exit = report_and_leave
"""


@pytest.fixture
def watched(project, tmp_path):
    """Calls pipec in a process that writes down what it imported and what it started."""
    project.write("pipeline.toml", PIPELINE)
    project.write("src/a", "a\n")
    project.write("tests/t", "t\n")
    watcher = tmp_path / "watcher" / "sitecustomize.py"
    watcher.parent.mkdir()
    watcher.write_text(WATCH)
    path = os.pathsep.join([str(watcher.parent), project.environment["PYTHONPATH"]])

    def call(*words):
        result = project.pipec(*words, env={"PYTHONPATH": path})
        report = ast.literal_eval(Path(f"{watcher}.report").read_text())
        return result, set(report["modules"]), report["started"]

    return call


LONG_WAY = ("-C", ".", "run", "verify")
"""The same run in a form that the front door does not know."""


def test_a_cached_run_imports_nothing_but_the_core(watched):
    assert watched("run", "verify")[0].status == 0
    result, modules, started = watched("run", "verify")
    assert "2 cached" in result.stderr
    assert {name for name in modules if name.startswith("pipec")} == {"pipec", "pipec._core"}
    # What `python -m` itself imports; the installed command does without.
    code = (
        "import sys; bare = set(sys.modules); import atexit, runpy; print(set(sys.modules) - bare)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert modules - ast.literal_eval(done.stdout) == {"pipec", "pipec._core"}
    assert started == []


def test_a_run_that_executes_tasks_imports_nothing_but_the_core(watched, project):
    assert watched("run", "verify")[0].status == 0
    project.write("src/a", "b\n")
    result, modules, started = watched("run", "verify")
    assert "2 passed" in result.stderr
    assert {name for name in modules if name.startswith("pipec")} == {"pipec", "pipec._core"}
    assert not modules & {"asyncio", "subprocess", "threading", "json", "signal"}
    assert started == []


def test_a_cached_run_on_the_long_way_imports_only_what_is_on_the_list(watched):
    assert watched("run", "verify")[0].status == 0
    result, modules, _ = watched(*LONG_WAY)
    assert "2 cached" in result.stderr
    theirs = {name.partition(".")[0] for name in modules if name.partition(".")[0] != "pipec"}
    assert theirs - ALLOWED == set()


def test_a_cached_run_needs_few_of_our_own_modules(watched):
    watched("run", "verify")
    _, modules, _ = watched(*LONG_WAY)
    ours = {name for name in modules if name.startswith("pipec.")}
    assert not ours & {"pipec.runtime.executor", "pipec.frontend.load", "pipec.cli.app"}
    assert not any(name.startswith("pipec.spec") for name in ours)
    assert len(ours) < MOST_MODULES


def test_a_cached_run_starts_no_process_and_opens_no_socket(watched):
    _, _, started = watched(*LONG_WAY)
    assert "pipec.start_process" in started
    assert watched("run", "verify")[2] == []
    assert watched(*LONG_WAY)[2] == []


def test_a_prediction_of_a_cached_run_starts_no_process_either(watched):
    watched("run", "verify")
    result, _, started = watched("run", "verify", "--dry")
    assert result.stdout.endswith("2 tasks: 2 cached\n")
    assert started == []


def test_the_version_needs_next_to_nothing(watched):
    _, modules, _ = watched("--version")
    assert not modules & {"json", "typer", "pipec.frontend", "pipec.ir", "pipec.runtime"}


@pytest.mark.parametrize("words", [("--help",), ("run", "-h"), ("runs", "ls", "--help")])
def test_help_needs_next_to_nothing(watched, words):
    result, modules, _ = watched(*words)
    assert result.stdout.startswith(f"Usage: {' '.join(['pipec', *words[:-1]])} ")
    assert {name for name in modules if name.startswith("pipec")} == {"pipec", "pipec._core"}


@pytest.mark.parametrize("words", [("run", ".."), ("lint",), ("../../secret",)])
def test_help_for_what_is_no_command_is_that_of_run(watched, words):
    assert watched(*words, "--help")[0].stdout.startswith("Usage: pipec run ")


def test_importing_pipec_imports_nothing_else(watched, project):
    code = "import sys; before = set(sys.modules); import pipec; print(set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project.folder, capture_output=True, text=True, check=True
    )
    assert done.stdout == "{'pipec'}\n"


def test_everything_public_can_be_imported():
    assert [name for name in pipec.__all__ if getattr(pipec, name, None) is None] == []
    with pytest.raises(AttributeError, match="no attribute `nothing`"):
        _ = pipec.nothing
