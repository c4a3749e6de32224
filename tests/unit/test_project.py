"""The `project` fixture itself: a test that fails leaves nothing for the tests after it."""

import gc
import subprocess
import sys

import pytest

from tests.conftest import Project

PIPELINE = 'name = "app"\n[tasks.t]\nrun = "echo up; exec sleep 600"\n'


def test_what_a_test_left_behind_is_ended_and_disturbs_no_other_test(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    project.write("pipeline.toml", PIPELINE)
    process = project.start("run", "t", "--log-order", "stream")
    assert process.stderr is not None
    assert any(b"up" in line for line in process.stderr)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0)
    project.close()
    assert process.returncode is not None
    del process
    gc.collect()
    assert complaints == []
