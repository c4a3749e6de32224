"""`kill -9` of pipec before each call that changes anything: the next run knows nothing of it.

`strace` kills the process that is about to make its n-th call of a kind; n grows until the run ends
by itself. What makes a file leaves it empty for the next call to fill, so opening needs no kill of
its own.
"""

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records
from tests.e2e.survivors import MARK, assert_none_left

END = "end\n"
TASKS = ("a", "b", "c")

# The last one waits: while the commands of tasks run.
CALLS = (
    "write",
    "pwrite64",
    "rename,renameat,renameat2",
    "mkdir,mkdirat",
    "unlink,unlinkat,rmdir",
    "ftruncate,flock",
    "clone3,vfork",
    "ppoll,epoll_wait",
)

# A kind of call of which there are more is not one that a small run makes.
MOST = 60


def write_pipeline(project: Project) -> None:
    """Two tasks at once and one after them; each makes two files, whole or not at all."""
    lines = ['name = "app"']
    for name in TASKS:
        folder = f"out/{name}"
        make = (
            f"mkdir -p {folder}; sleep 60 & helper=$!; for f in x y; do "
            f"{{ cat seed; echo end; }} > {folder}.tmp; mv {folder}.tmp {folder}/$f; "
            "done; kill $helper"
        )
        lines += [
            f"[tasks.{name}]",
            f"depends-on = {['a', 'b'] if name == 'c' else []}",
            'inputs = ["seed"]',
            f'outputs = ["{folder}/**"]',
            "cache = true",
            f'run = "{make}"',
        ]
    project.write("pipeline.toml", "\n".join(lines))


def outputs(project: Project) -> dict[str, str]:
    """Every output that is there now."""
    folder = project.folder / "out"
    found = folder.glob("*/*") if folder.exists() else ()
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def edit(project: Project, text: str) -> None:
    project.write("seed", f"{text}\n")


def remove_outputs(project: Project, _: str) -> None:
    for path in sorted((project.folder / "out").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def is_killed(project: Project, words: tuple[str, ...], *, calls: str, number: int) -> bool:
    """Runs until pipec is about to make its n-th call of a kind; whether it came to that."""
    mark = f"{project.folder}-{calls}-{number}"
    # Not the commands of tasks: they are let go when they begin.
    tracing = ["strace", "-f", "-b", "execve", "-o", "/dev/null", "-e", f"trace={calls}"]
    killing = ["-e", f"inject={calls}:signal=KILL:when={number}"]
    environment = {**project.environment, MARK: mark, "PYTHONDONTWRITEBYTECODE": "1"}
    status = subprocess.run(
        [*tracing, *killing, sys.executable, "-m", "pipec", *words],
        cwd=project.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    ).returncode
    assert_none_left(mark)
    assert status in (0, -signal.SIGKILL)
    return status != 0


@pytest.mark.slow
@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.parametrize(
    ("words", "prepare"),
    [
        pytest.param(("run", "c"), edit, id="by the core"),
        pytest.param(("run", "c", "--concurrency", "2"), edit, id="by Python"),
        pytest.param(("run", "c"), remove_outputs, id="restoring"),
    ],
)
def test_a_run_that_is_killed_leaves_nothing_that_the_next_one_trips_over(
    project: Project,
    calls: str,
    words: tuple[str, ...],
    prepare: Callable[[Project, str], None],
) -> None:
    write_pipeline(project)
    edit(project, "first")
    assert project.pipec(*words).status == 0
    for number in range(1, MOST):
        prepare(project, f"{number}")
        was_killed = is_killed(project, words, calls=calls, number=number)
        assert all(text.endswith(END) for text in outputs(project).values())

        result = project.pipec(*words)
        assert result.status == 0, result.stderr
        assert "warning[" not in result.stderr
        seed = project.read("seed")
        assert outputs(project) == {f"{name}/{file}": seed + END for name in TASKS for file in "xy"}
        records = read_records(project.folder)
        assert records[-1]["status"] == "passed"
        assert {record["status"] for record in records} <= {"passed", "interrupted"}
        if not was_killed:
            break
    else:
        pytest.fail(f"{MOST} calls, and no end")
    assert project.pipec(*words).status == 0
    assert read_records(project.folder)[-1]["counts"]["cached"] == len(TASKS)
