"""What the cache promises, kept by `pipec run` on a project with every kind of output."""

import os
import stat
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records, statuses

PIPELINE = """
name = "app"

[tasks.make]
inputs = ["src/**"]
outputs = ["out/**"]
cache = true
run = '''
echo make >> ran
rm -rf out
mkdir -p out/empty out/deep
head -n 1 src/text > out/deep/text
printf 'exit 0' > out/tool
chmod 755 out/tool
ln -s deep/text out/link
ln -s nowhere out/broken
'''

[tasks.use]
depends-on = ["make"]
inputs = ["out/**"]
outputs = []
cache = true
run = "echo use >> ran"
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.write("src/text", "one\nmore\n")
    assert project.pipec("run", "use").status == 0
    assert executed(project) == ["make", "use"]
    return project


def executed(project: Project) -> list[str]:
    """The tasks that ran since this was last asked."""
    ran = project.folder / "ran"
    if not ran.exists():
        return []
    tasks = ran.read_text().split()
    ran.unlink()
    return tasks


def outputs(project: Project) -> dict[str, tuple[int, str]]:
    """Path → kind and mode, and what is in it."""
    found = {}
    for at, folders, names in os.walk(project.folder / "out"):
        for name in (*folders, *names):
            path = Path(at, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                held = str(path.readlink())
            else:
                held = path.read_text() if stat.S_ISREG(mode) else ""
            found[str(path.relative_to(project.folder))] = (mode, held)
    return found


@pytest.mark.parametrize(
    "damage",
    [
        "rm -r out",
        "rm out/tool",
        "chmod 644 out/tool",
        "rmdir out/empty",
        "echo other > out/deep/text",
        "echo extra > out/extra",
        "ln -sf tool out/link",
        "rm out/broken; echo file > out/broken",
        "rm -r out/deep; echo file > out/deep",
    ],
)
def test_lost_and_edited_outputs_come_back_exactly_and_nothing_runs(
    app: Project, damage: str
) -> None:
    before = outputs(app)
    assert before.keys() >= {"out/empty", "out/link", "out/broken", "out/tool"}
    os.system(f"cd {app.folder} && {damage}")
    assert outputs(app) != before
    assert app.pipec("run", "use").status == 0
    assert outputs(app) == before
    assert executed(app) == []
    assert statuses(read_records(app.folder)[-1]) == {"make": "cached", "use": "cached"}


def test_a_file_that_is_touched_but_not_changed_runs_nothing(app: Project) -> None:
    os.utime(app.folder / "src/text", (1, 1))
    os.utime(app.folder / "out/deep/text")
    assert app.pipec("run", "use").status == 0
    assert executed(app) == []


def test_an_edit_runs_its_task_and_what_follows_only_if_the_outputs_changed(app: Project) -> None:
    app.write("src/text", "one\nother\n")
    assert app.pipec("run", "use").status == 0
    assert executed(app) == ["make"]
    app.write("src/text", "two\n")
    assert app.pipec("run", "use").status == 0
    assert executed(app) == ["make", "use"]
    # Back to what was: both results are still there.
    app.write("src/text", "one\nmore\n")
    assert app.pipec("run", "use").status == 0
    assert executed(app) == []


def test_another_name_for_a_task_keeps_its_hits(app: Project) -> None:
    app.write(
        "pipeline.toml", PIPELINE.replace("tasks.make", "tasks.built").replace('"make"', '"built"')
    )
    assert app.pipec("run", "use").status == 0
    assert executed(app) == []
    assert statuses(read_records(app.folder)[-1]) == {"built": "cached", "use": "cached"}


def test_a_checkout_that_moved_keeps_its_hits(app: Project) -> None:
    before = outputs(app)
    moved = Project(app.folder.rename(app.folder.with_name("moved")), app.folder.parent / "home")
    (moved.folder / "out/tool").unlink()
    assert moved.pipec("run", "use").status == 0
    assert executed(moved) == []
    assert outputs(moved) == before
