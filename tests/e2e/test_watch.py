"""`pipec watch`: events only wake, the keys decide."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project
from tests.e2e.records import read_journal, read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left
from tests.e2e.watching import Watch

PIPELINE = """
name = "app"
[tasks.build]
inputs = ["src/**"]
outputs = ["out/**"]
cache = true
run = "echo build >> log; mkdir -p out; cat src/* > out/all"
[tasks.test]
depends-on = ["build"]
inputs = ["tests/**"]
run = "echo test >> log; cat out/all tests/*"
[tasks.lint]
inputs = ["src/**"]
run = "echo lint >> log; grep -q . src/a"
[tasks.all]
depends-on = ["test", "lint"]
"""


def write(project: Project, text: str = PIPELINE) -> None:
    project.write("pipeline.toml", text)
    project.write("src/a", "1\n")
    project.write("tests/t", "1\n")


def lines(project: Project) -> list[str]:
    return sorted(project.read("log").split())


def runs(project: Project) -> list[dict[str, Any]]:
    return read_records(project.folder)


def test_an_edit_is_one_run_of_what_it_changes(
    project: Project, watch: Callable[..., Watch]
) -> None:
    write(project)
    watching = watch("all")
    waiting = watching.rest()
    assert (waiting["runs"], waiting["is_polling"]) == (1, False)
    assert waiting["folders"] >= 3
    assert lines(project) == ["build", "lint", "test"]
    project.write("tests/t", "2\n")
    changed = watching.until("watch_changed")
    assert changed["tasks"] == ["test"]
    assert watching.rest()["runs"] == 2
    # What is not cached and passed a moment ago under the same key need not run again.
    assert lines(project) == ["build", "lint", "test", "test"]
    record = runs(project)[-1]
    assert statuses(record) == {
        "build": "cached", "lint": "cached", "test": "passed", "all": "passed",
    }  # fmt: skip
    lint = next(task for task in record["tasks"] if task["id"] == "lint")
    assert lint["verdict"] == {"kind": "unchanged"}
    project.write("src/a", "2\n")
    assert watching.rest()["runs"] == 3
    assert lines(project) == ["build", "build", "lint", "lint", "test", "test", "test"]
    assert watching.end() == 130
    assert len(runs(project)) == 3


def test_what_is_written_as_it_was_runs_nothing(
    project: Project, watch: Callable[..., Watch]
) -> None:
    write(project)
    watching = watch("all")
    watching.rest()
    os.utime(project.folder / "src/a")
    project.write("src/a", "1\n")
    project.write("other", "nobody looks at it")
    # The next edit is heard after these: had they run anything, it would be the third run.
    project.write("tests/t", "2\n")
    assert watching.rest()["runs"] == 2
    assert watching.end() == 130
    assert lines(project).count("build") == 1
    assert len(runs(project)) == 2


def test_a_new_folder_and_a_file_that_is_gone_are_heard_of(
    project: Project, watch: Callable[..., Watch]
) -> None:
    write(project)
    project.write("src/b", "1\n")
    watching = watch("build")
    watching.rest()
    project.write("src/deep/er/c", "1\n")
    assert watching.rest()["runs"] == 2
    project.write("src/deep/er/c", "2\n")
    assert watching.rest()["runs"] == 3
    (project.folder / "src/b").unlink()
    assert watching.rest()["runs"] == 4
    watching.end()


def test_outputs_that_are_tampered_with_are_put_right(
    project: Project, watch: Callable[..., Watch]
) -> None:
    write(project)
    watching = watch("build")
    watching.rest()
    project.write("out/all", "broken")
    assert watching.until("watch_changed")["tasks"] == ["build"]
    assert watching.rest()["runs"] == 2
    assert project.read("out/all") == "1\n"
    watching.end()
    assert lines(project) == ["build"]


def test_a_task_that_runs_while_its_inputs_change_is_ended_and_started_again(
    project: Project, watch: Callable[..., Watch]
) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.slow]\ninputs = ["src"]\noutputs = []\ncache = true\n'
        'run = "x=$(cat src); echo $x >> log; echo > started; test $x = 2 || sleep 300"\n'
        '[tasks.after]\ndepends-on = ["slow"]\nrun = "true"\n',
    )
    project.write("src", "1\n")
    os.mkfifo(project.folder / "started")
    watching = watch("after")
    (project.folder / "started").read_text()
    project.write("src", "2\n")
    assert watching.until("watch_changed")["tasks"] == ["slow"]
    (project.folder / "started").read_text()
    assert watching.rest()["runs"] == 2
    assert watching.end() == 130
    assert project.read("log") == "1\n2\n"
    first, second = runs(project)
    assert (first["status"], first["reason"]) == ("interrupted", "inputs changed")
    assert statuses(first) == {"slow": "cancelled", "after": "skipped"}
    assert {task["reason"] for task in first["tasks"]} == {"its inputs changed"}
    assert statuses(second) == {"slow": "passed", "after": "passed"}


def test_a_failure_is_tried_again_only_when_something_changes(
    project: Project, watch: Callable[..., Watch]
) -> None:
    write(project)
    project.write("src/a", "")
    watching = watch("lint")
    watching.rest()
    os.utime(project.folder / "src/a")
    project.write("src/a", "better\n")
    assert watching.rest()["runs"] == 2
    # Back to what failed: that is known, and is not in any cache.
    project.write("src/a", "")
    assert watching.rest()["runs"] == 3
    watching.end()
    assert [record["status"] for record in runs(project)] == ["failed", "passed", "failed"]


SERVICE = """
name = "app"
[tasks.web]
inputs = ["server"]
run = "echo started >> starts; echo up $$ > pid; echo up; exec sleep 300"
service = { ready = "up" }
[tasks.test]
depends-on = ["web"]
inputs = ["src"]
outputs = []
cache = true
run = "cat src pid"
"""


def test_a_service_stays_up_until_its_inputs_change(
    project: Project, watch: Callable[..., Watch]
) -> None:
    project.write("pipeline.toml", SERVICE)
    project.write("server", "1")
    project.write("src", "1")
    watching = watch("test")
    watching.rest()
    first = project.read("pid")
    project.write("src", "2")
    watching.rest()
    assert project.read("pid") == first
    project.write("server", "2")
    assert watching.until("service_stopped")["reason"] == "its inputs changed"
    assert watching.rest()["runs"] == 3
    assert project.read("starts") == "started\n" * 2
    assert project.read("pid") != first
    assert watching.end(signal.SIGTERM) == 143
    web = [statuses(record)["web"] for record in runs(project)]
    assert web == ["passed", "passed", "passed"]
    verdicts = [record["tasks"][0]["verdict"] for record in runs(project)]
    assert verdicts == [{"kind": "service", "detail": "stays up"}] * 3


def test_a_service_that_is_all_there_is_starts_again_when_it_changes(
    project: Project, watch: Callable[..., Watch]
) -> None:
    project.write("pipeline.toml", SERVICE)
    project.write("server", "1")
    watching = watch("web")
    watching.rest()
    project.write("server", "2")
    watching.until("service_ready")
    watching.rest()
    assert project.read("starts") == "started\n" * 2
    assert watching.end() == 130


def test_killed_it_leaves_nothing(project: Project, watch: Callable[..., Watch]) -> None:
    project.write("pipeline.toml", SERVICE)
    project.write("server", "1")
    watching = watch("web")
    watching.rest()
    watching.end(signal.SIGKILL)


def test_another_pipeline_goes_on_and_a_wrong_one_is_told_of(
    project: Project, watch: Callable[..., Watch]
) -> None:
    write(project)
    watching = watch("lint")
    watching.rest()
    project.write("pipeline.toml", PIPELINE.replace("grep -q . src/a", "cat src/a"))
    assert watching.until("watch_changed")["tasks"] == ["lint"]
    watching.rest()
    project.write("pipeline.toml", "name = [")
    warning = watching.until("warning_raised")
    assert warning["code"] == "PIPEC_TOML_SYNTAX"
    # The last good one counts on.
    project.write("src/a", "2\n")
    assert watching.rest()["runs"] == 3
    project.write("pipeline.toml", PIPELINE.replace("grep -q . src/a", "cat src/a src/a"))
    assert watching.rest()["runs"] == 4
    watching.end()
    assert lines(project) == ["lint"] * 4
    commands = [
        event["command"]
        for record in runs(project)
        for event in read_journal(project.folder, record["run_id"])
        if event["event"] == "step_started"
    ]
    assert [command.rpartition("; ")[2] for command in commands] == [
        "grep -q . src/a", "cat src/a", "cat src/a", "cat src/a src/a",
    ]  # fmt: skip


@pytest.mark.parametrize("env", [{}, {"PIPEC_MAX_WATCHES": "1"}])
def test_where_nobody_tells_of_changes_it_looks_for_them(
    project: Project, watch: Callable[..., Watch], env: dict[str, str]
) -> None:
    write(project)
    watching = watch("lint", *([] if env else ["--poll"]), env=env)
    assert watching.rest()["is_polling"]
    project.write("src/a", "2\n")
    assert watching.rest()["runs"] == 2
    watching.end()
    warnings = [event["code"] for event in watching.seen if event["event"] == "warning_raised"]
    assert warnings == (["PIPEC_WATCH_POLLS"] if env else [])


NAMESPACE = shutil.which("unshare")


@pytest.mark.parametrize("limit", ["watches", "instances"])
def test_a_limit_of_the_system_is_called_by_its_name(project: Project, limit: str) -> None:
    """In a user namespace of its own the limits are its own, too."""
    count = {"watches": 1, "instances": 0}[limit]
    lower = f"echo {count} > /proc/sys/user/max_inotify_{limit}"
    inside = ["unshare", "--user", "--map-root-user", "sh", "-c"]
    if NAMESPACE is None or subprocess.run([*inside, lower], check=False).returncode:
        pytest.skip("no user namespace can be made here")
    write(project)
    watching = subprocess.Popen(
        [*inside, f'{lower}; exec "$@"', "sh", sys.executable, "-m", "pipec", "watch", "lint"],
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert watching.stderr is not None
    said = next(line for line in watching.stderr if b"PIPEC_WATCH_POLLS" in line)
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=30)
    assert watching.returncode == 130
    assert f"the limit `fs.inotify.max_user_{limit}` of the system is reached" in said.decode()


def test_without_a_terminal_each_run_is_a_line(project: Project) -> None:
    write(project)
    process = project.start("watch", "lint", env={MARK: str(project.folder)})
    assert process.stderr is not None
    first = process.stderr.readline().decode()
    assert first.startswith("1 task in ")
    assert process.stderr.readline().startswith(b"watching ")
    project.write("src/a", "2\n")
    assert process.stderr.readline().decode().startswith("lint changed: 1 task in ")
    project.write("src/a", "")
    failed = [process.stderr.readline().decode() for _ in range(3)]
    assert failed[0].startswith("✗ lint")
    assert failed[1].startswith("error[PIPEC_STEP_FAILED]: lint: ")
    assert failed[2].startswith("lint changed: 1 task in ")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert_none_left(str(project.folder))


def test_a_value_of_a_command_does_not_keep_it_from_hearing_of_files(
    project: Project, watch: Callable[..., Watch]
) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.a]\ninputs = ["src", { command = "cat version" }]\n'
        'outputs = []\ncache = true\nrun = "cat src >> log"\n',
    )
    project.write("src", "1\n")
    project.write("version", "1\n")
    watching = watch("a")
    watching.rest()
    project.write("src", "2\n")
    assert watching.rest()["runs"] == 2
    watching.end()
    assert project.read("log") == "1\n2\n"


def test_another_run_is_waited_for(project: Project, watch: Callable[..., Watch]) -> None:
    write(
        project,
        PIPELINE + '[tasks.other]\nrun = "echo > started; cat gate"\n',
    )
    os.mkfifo(project.folder / "started")
    os.mkfifo(project.folder / "gate")
    other = project.start("run", "other", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (project.folder / "started").read_text()
    watching = watch("lint")
    assert watching.until("warning_raised")["code"] == "PIPEC_RUN_ACTIVE"
    (project.folder / "gate").write_text("")
    assert watching.rest()["runs"] == 1
    assert other.wait(timeout=30) == 0
    watching.end()


@pytest.mark.slow
def test_fifty_thousand_files(project: Project, watch: Callable[..., Watch]) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.all]\ninputs = ["src/**"]\noutputs = []\ncache = true\n'
        'run = "true"\n',
    )
    for number in range(500):
        folder = Path(project.folder, f"src/{number // 25}/{number % 25}")
        folder.mkdir(parents=True)
        for name in range(100):
            (folder / f"{name}.c").write_text(f"{number} {name}\n")
    watching = watch("all")
    waiting = watching.rest()
    # The root, `src`, 20 folders in it, and 25 in each of them.
    assert (waiting["folders"], waiting["is_polling"]) == (522, False)
    project.write("src/7/7/7.c", "another\n")
    assert watching.rest()["runs"] == 2
    watching.end()
    changed = runs(project)[-1]["tasks"][0]["verdict"]["changed"]
    assert changed == [{"path": "src/7/7/7.c", "change": "changed"}]
