"""A checkout and a cache on another machine: the files are others, their contents are not."""

import json
import shutil
import sys

import pytest

from tests.e2e.traces import trace

PIPELINE = """\
name = "app"

[tasks.build]
inputs = ["src/**"]
outputs = ["out/**"]
cache = true
run = "mkdir -p out && cat src/* > out/all"
"""


def counters_of(project, **env):
    result = project.pipec("run", "build", "--format", "json", env=env)
    assert result.status == 0, result.stderr
    return json.loads(result.stdout)["counts"]


def moved(project, make_project):
    """The project as another machine has it: same bytes, same mtimes, nothing else."""
    project.write("pipeline.toml", PIPELINE)
    for number in range(50):
        project.write(f"src/{number:02}", f"{number}\n")
    for _ in range(2):
        assert project.pipec("run", "build").status == 0
    other = make_project("other")
    shutil.rmtree(other.folder)
    shutil.copytree(project.folder, other.folder, symlinks=True)
    return other


def opened(project, tmp_path, **env):
    """Which inputs a run opens."""
    command = [sys.executable, "-m", "pipec", "run", "build"]
    environment = {**project.environment, **env}
    calls = trace(command, folder=project.folder, environment=environment, into=tmp_path / "traces")
    inputs = f"{project.folder}/src/"
    return {call.path for call in calls if call.opens and call.path.startswith(inputs)}


def test_all_inputs_are_read_again_unless_told_otherwise(project, make_project, tmp_path):
    other = moved(project, make_project)
    assert len(opened(other, tmp_path)) == 50


def test_a_relaxed_identity_takes_the_digests_over(project, make_project, tmp_path):
    other = moved(project, make_project)
    assert opened(other, tmp_path, PIPEC_IDENTITY="relaxed") == set()
    # From then on they are known for what they are.
    assert opened(other, tmp_path) == set()
    assert counters_of(other)["cached"] == 1


@pytest.mark.parametrize("text", ["changed\n", "x\n"], ids=["size", "time alone"])
def test_a_relaxed_identity_still_sees_other_sizes_and_times(project, make_project, tmp_path, text):
    other = moved(project, make_project)
    other.write("src/07", text)
    assert len(opened(other, tmp_path, PIPEC_IDENTITY="relaxed")) == 1
    assert text in other.read("out/all")
