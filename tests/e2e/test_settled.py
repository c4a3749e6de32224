"""A plan found in place throughout is not decided again, until something that counted changes."""

import os
import shutil
import subprocess

import pytest

from tests.e2e.records import read_records, statuses
from tests.ticks import has_fine_times

PIPELINE = """\
name = "app"

[tasks.build]
inputs = ["src/**", "linked/setting.txt"]
outputs = ["out/**"]
cache = true
env = { MODE = { var = "APP_MODE", default = "dev" } }
env-inputs = ["NODE_*"]
run = "mkdir -p out && find src -type f ! -name .gitignore | sort | xargs cat > out/all"

[tasks.test]
depends-on = ["build"]
inputs = ["tests/**"]
outputs = []
cache = true
run = "test -s out/all"

[jobs.verify]
target = "test"

[jobs.other]
target = "test"
env = { FLAVOUR = "sour" }
"""
IN_PLACE = ["= build", "= test"]


@pytest.fixture
def app(project):
    subprocess.run(["git", "init", "-q", str(project.folder.parent)], check=True)
    project.write("pipeline.toml", PIPELINE)
    project.write("src/a", "a\n")
    project.write("src/b", "b\n")
    project.write("tests/t", "t\n")
    project.write("elsewhere/setting.txt", "1\n")
    return project


def run(project, job="verify", **env):
    """Runs a job once the clock of the file system has moved on; gives what became of each task."""
    probe = project.folder.parent / "probe"
    probe.touch()
    first = probe.stat().st_mtime_ns
    while probe.stat().st_mtime_ns < first + 30_000_000:
        probe.touch()
    result = project.pipec("run", job, env=env)
    assert result.status == 0, result.stderr
    return [line[:7].rstrip() for line in result.stderr.splitlines() if line[:1] in {"=", "✓"}]


def settle(project, **env):
    """Runs until the state says that nothing has to be decided again."""
    for _ in range(4):
        run(project, **env)
    settled = project.folder / ".pipec/cache/settled"
    assert list(settled.iterdir())
    before = snapshot(project)
    assert run(project, **env) == IN_PLACE
    assert snapshot(project) == before


def test_what_a_run_restored_is_settled(app):
    settle(app)
    shutil.rmtree(app.folder / "out")
    assert run(app) == IN_PLACE
    before = snapshot(app)
    assert run(app) == IN_PLACE
    if has_fine_times(app.folder.parent):
        assert snapshot(app) == before


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda out: (out / "all").write_text("A\nb\n"), id="other contents"),
        pytest.param(lambda out: (out / "more").write_text("more"), id="one more file"),
        pytest.param(lambda out: (out / "all").unlink(), id="one file less"),
        pytest.param(lambda out: (out / "all").chmod(0o755), id="another mode"),
        pytest.param(shutil.rmtree, id="all gone"),
    ],
)
def test_whatever_happens_to_a_file_right_after_a_restore_is_noticed(app, spoil):
    settle(app)
    out = app.folder / "out"
    wanted = (out / "all").read_text()
    shutil.rmtree(out)
    for _ in range(3):
        # No tick passes between the restore and the edit.
        assert app.pipec("run", "verify").status == 0
        spoil(out)
        assert app.pipec("run", "verify").status == 0
        assert [path.name for path in out.iterdir()] == ["all"]
        assert (out / "all").read_text() == wanted
        assert not (out / "all").stat().st_mode & 0o111


def test_an_input_that_changed_since_it_was_restored_is_noticed(app):
    settle(app)
    for contents in ("3\n", "4\n"):
        shutil.rmtree(app.folder / "out")
        assert app.pipec("run", "verify").status == 0
        app.write("src/a", contents)
        assert app.pipec("run", "verify").status == 0
        assert (app.folder / "out/all").read_text() == f"{contents}b\n"


def snapshot(project):
    """Which file of the cache is which: whatever is written is written anew."""
    cache = project.folder / ".pipec/cache"
    paths = [path for path in cache.rglob("*") if path.is_file()]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def write(path, text):
    def edit(project):
        project.write(path, text)

    return edit


def replace_by_rename(project):
    project.write("new", "c\n")
    (project.folder / "new").rename(project.folder / "src/a")


def same_size_same_time(project):
    path = project.folder / "src/a"
    before = path.stat()
    path.write_text("A\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def add_to_an_input_folder(project):
    project.write("src/deep/er/c", "c\n")


def swap_folders(project):
    project.write("src2/a", "x\n")
    (project.folder / "src").rename(project.folder / "src3")
    (project.folder / "src2").rename(project.folder / "src")


def ignore_above(project):
    (project.folder.parent / ".gitignore").write_text("/project/src/b\n")


BUILT = ["✓ build", "✓ test"]
# The output came out as it was.
REBUILT = ["✓ build", "= test"]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (write("src/a", "longer\n"), BUILT),
        (write("src/.gitignore", "b\n"), REBUILT),
        (write("tests/u", "u\n"), ["= build", "✓ test"]),
        (replace_by_rename, BUILT),
        (same_size_same_time, BUILT),
        (add_to_an_input_folder, BUILT),
        (swap_folders, BUILT),
        (ignore_above, REBUILT),
        (lambda project: (project.folder / "src/b").unlink(), BUILT),
        (lambda project: (project.folder / "src/b").chmod(0o755), REBUILT),
        (lambda project: shutil.rmtree(project.folder / "out"), IN_PLACE),
        (write("out/more", "?"), IN_PLACE),
        (write("out/all", "?\n?\n"), IN_PLACE),
        (write("pipeline.toml", PIPELINE.replace("sort |", "sort -u |")), REBUILT),
        (lambda project: project.pipec("cache", "clear"), BUILT),
    ],
    ids=[
        "grown", "ignored", "added-elsewhere", "renamed-over", "same-size-and-time", "added-below",
        "swapped", "ignored-above", "removed", "mode", "outputs-gone", "output-added",
        "output-changed", "command", "cleared",
    ],
)  # fmt: skip
def test_whatever_changes_is_noticed(app, edit, expected):
    settle(app)
    edit(app)
    assert run(app) == expected
    out = app.folder / "out"
    assert sorted(path.name for path in out.iterdir()) == ["all"]
    sources = [path for path in (app.folder / "src").rglob("[!.]*") if path.is_file()]
    lines = [line for path in sources for line in path.read_text().splitlines()]
    assert sorted(app.read("out/all").splitlines()) == sorted(lines)
    settle(app)


@pytest.mark.parametrize("name", ["APP_MODE", "MODE", "NODE_ENV", "NODE_"])
def test_a_variable_that_a_key_depends_on_is_noticed(app, name):
    settle(app)
    assert run(app, **{name: "prod"})[0] == "✓ build"
    assert run(app, UNRELATED="1") == IN_PLACE


def test_another_job_that_ran_the_same_task_otherwise_is_noticed(app):
    settle(app)
    assert run(app, "other") == BUILT
    assert run(app) == IN_PLACE


def test_a_link_that_leads_elsewhere_is_noticed(app):
    (app.folder / "linked").symlink_to("elsewhere")
    for _ in range(4):
        run(app)
    app.write("elsewhere/setting.txt", "2\n")
    assert run(app) == REBUILT
    (app.folder / "linked").unlink()
    assert run(app)[0] == "✓ build"


def test_a_result_that_expires_is_made_again(app):
    app.write("pipeline.toml", PIPELINE.replace("cache = true", 'cache = { ttl = "3s" }', 1))
    run(app)
    for _ in range(200):
        if run(app)[0] == "✓ build":
            return
    pytest.fail("it never expired")


def test_of_two_results_with_one_key_the_later_is_told_of(app):
    settle(app)
    assert app.pipec("run", "test", "--only", "--force").status == 0
    forced = read_records(app.folder)[-1]
    assert statuses(forced) == {"test": "passed"}
    assert run(app) == IN_PLACE
    last = read_records(app.folder)[-1]
    origins = {task["id"]: task["origin"]["run_id"] for task in last["tasks"]}
    assert origins["test"] == forced["run_id"]
    assert origins["build"] != forced["run_id"]
