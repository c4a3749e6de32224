"""Tasks that are not like the others: interactive ones, and results that do not stay."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import Project
from tests.e2e.records import read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left


def test_an_interactive_task_has_the_terminal(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.ask]\ninteractive = true\nrun = "read name; echo hello $name"\n',
    )
    process = project.start("run", "ask", stdin=subprocess.PIPE)
    out, _ = process.communicate(b"you\n", timeout=30)
    assert process.returncode == 0
    assert out == b"hello you\n"


SESSION = """
name = "app"
[tasks.make]
outputs = ["out"]
inputs = ["in"]
cache = "file:session"
run = "echo ran >> runs; cp in out"
"""


def test_a_session_lasts_as_long_as_the_outermost_pipec(project: Project) -> None:
    project.write("inner/pipeline.toml", SESSION)
    project.write("inner/in", "text")
    call = f"cd inner; {sys.executable} -m pipec run make"
    project.write(
        "pipeline.toml",
        f'name = "outer"\n[tasks.first]\nrun = "{call}"\n'
        f'[tasks.second]\ndepends-on = ["first"]\nrun = "rm inner/out; {call}"\n',
    )
    for runs in (1, 2):
        assert project.pipec("run", "second").status == 0
        # The second call of each session is a hit; the next session knows nothing of it.
        assert project.read("inner/runs") == "ran\n" * runs
    assert project.read("inner/out") == "text"
    inner = [statuses(record)["make"] for record in read_records(project.folder / "inner")]
    assert inner == ["passed", "cached", "passed", "cached"]
    assert not (project.folder / "inner/.pipec/cache/cas").exists()


def test_the_folder_of_a_session_goes_even_if_pipec_is_killed(project: Project) -> None:
    run = "echo $PIPEC_SESSION_STORE > seen; exec cat seen"
    project.write("pipeline.toml", f'name = "app"\n[tasks.a]\nrun = "{run}"\n')
    os.mkfifo(project.folder / "seen")
    mark = str(project.folder)
    process = project.start("run", "a", env={MARK: mark})
    folder = Path((project.folder / "seen").read_text().strip())
    assert folder.is_dir()
    process.kill()
    process.communicate(timeout=30)
    assert_none_left(mark)
    assert not folder.exists()


def test_what_follows_a_task_of_another_system_is_cached(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.sign]\nplatforms = ["windows"]\nrun = "exit 1"\n'
        '[tasks.pack]\ndepends-on = ["sign"]\ninputs = ["in"]\noutputs = ["out"]\ncache = true\n'
        'run = "cp in out"\n',
    )
    project.write("in", "text")
    for status in ("passed", "cached"):
        assert project.pipec("run", "pack").status == 0
        assert statuses(read_records(project.folder)[-1]) == {"sign": "skipped", "pack": status}


def test_a_prediction_of_a_long_chain_does_not_recurse(project: Project) -> None:
    tasks = [f'[tasks.t{n}]\ndepends-on = ["t{n - 1}"]\n' for n in range(1, 3000)]
    project.write("pipeline.toml", 'name = "app"\n[tasks.t0]\nrun = "true"\n' + "".join(tasks))
    assert project.pipec("run", "t2999", "--dry").status == 0


def test_values_of_input_commands_decide_about_hits(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.a]\ncache = true\noutputs = ["out"]\n'
        'inputs = [{ command = "cat version" }, { file = "f.toml", key = "a.b" }]\n'
        'run = "echo ran >> runs; touch out"\n',
    )
    project.write("f.toml", "other = 1\n[a]\nb = 1\n")
    for version, other, runs in (("1", 1, 1), ("1", 2, 1), ("2", 2, 2), ("1", 3, 2)):
        project.write("version", version)
        project.write("f.toml", f"other = {other}\n[a]\nb = 1\n")
        assert project.pipec("run", "a").status == 0
        assert project.read("runs") == "ran\n" * runs
