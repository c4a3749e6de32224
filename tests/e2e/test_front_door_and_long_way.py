"""The front door and the long way: the same state, every byte that is no time or id compared."""

import dataclasses
import json
import re
import shutil

import pytest

from pipec import _core
from pipec.cli.main import VERBS
from tests.e2e.ways import NATIVE, PYTHON
from tests.reference.packs import records

PIPELINE = """\
name = "app | \\"two\\""

[env]
MODE = { var = "MODE", default = "dev" }

[named-inputs]
source = ["src/**", "!src/skip"]

[tasks.build]
inputs = ["source"]
outputs = ["out/**"]
cache = true
run = "mkdir -p out/empty && cat src/* > out/all && ln -sf all out/link"

[tasks.check]
inputs = ["src/**"]
outputs = []
cache = true
env-inputs = ["USER*"]
run = "true"

[tasks.all]
depends-on = ["build", "check"]

[tasks.nothing]

[jobs.verify]
target = ["all", "nothing"]
env = { LEVEL = "1" }
"""

SHORT = ("run", "verify")
LONG = ("-C", ".", "run", "verify")
CHANGING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\d{8}T\d{6}\.\d{3}-[0-9a-f]{8}|(?<=_ms\": )\d+")


@pytest.fixture
def ready(project):
    """A project in which everything is in place."""
    project.write("pipeline.toml", PIPELINE)
    project.write("src/a", "a\n")
    project.write("src/skip", "s\n")
    project.write("sub/folder/x", "")
    assert project.pipec(*SHORT).status == 0
    return project


def newest(project):
    return max((project.folder / ".pipec/runs").iterdir())


def plain(project, text):
    """A kept file without what no two runs share."""
    text = CHANGING.sub("#", project.plain(text))
    return re.sub(r'(?<="pid": )\d+|(?<="pid":)\d+|(?<=_ms":)\d+', "#", text)


def kept(project):
    """Every file of the newest record."""
    folder = newest(project)
    files = (path for path in sorted(folder.rglob("*")))
    return {
        str(path.relative_to(folder)): plain(project, path.read_bytes()) if path.is_file() else None
        for path in files
    }


GIVEN = {"PIPEC_ENVIRONMENT": "prod", "PIPEC_APPROVE": " a,, b ,a"}


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"NO_COLOR": "1", **GIVEN}])
@pytest.mark.parametrize("folder", ["", "sub/folder"])
def test_both_ways_print_and_keep_the_same(ready, folder, environment):
    short = ready.pipec(*SHORT, cwd=folder, env=environment)
    kept_by_short = kept(ready)
    long = ready.pipec(*LONG, cwd=folder, env=environment)
    assert "4 tasks" in short.stderr
    assert short == long
    assert kept_by_short == kept(ready)
    assert set(kept_by_short) == {"execution.json", "journal.jsonl", "logs", "summary.md"}


def test_the_front_door_knows_every_command():
    assert set(VERBS) <= set(_core.VERBS)


def test_both_ways_write_the_same_json(ready):
    ready.pipec(*SHORT)
    short = (newest(ready) / "execution.json").read_bytes()
    ready.pipec(*LONG)
    long = (newest(ready) / "execution.json").read_bytes()
    names = [list(json.loads(text)) for text in (short, long)]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda project: project.write("src/b", "b"),
        lambda project: project.write("out/all", "other"),
        lambda project: (project.folder / "out/link").unlink(),
        lambda project: project.write("pipeline.toml", PIPELINE + "\n# later\n"),
        lambda project: project.write("pipec.toml", PIPELINE),
        lambda project: (project.folder / ".pipec/cache/index").write_bytes(b"broken"),
        lambda project: (project.folder / ".pipec/cache/successes").write_bytes(b"broken"),
        lambda project: (project.folder / ".pipec/run.lock").write_text("left by a crash"),
    ],
    ids=["input", "output", "link", "comment", "two-files", "index", "successes", "lock"],
)
def test_after_any_change_both_ways_end_alike(ready, make_project, change):
    change(ready)
    short = ready.pipec(*SHORT)
    again = ready.pipec(*LONG)
    assert short.status == again.status
    if short.status == 0:
        assert "4 cached" in again.stderr or "3 cached" in again.stderr


def lose_outputs(project):
    shutil.rmtree(project.folder / "out")


def test_both_ways_restore_the_same(ready):
    record = {}
    outputs = {}
    for way in (SHORT, LONG):
        lose_outputs(ready)
        result = ready.pipec(*way)
        assert "4 cached" in result.stderr or "3 cached" in result.stderr
        tasks = json.loads((newest(ready) / "execution.json").read_text())["tasks"]
        # When it was restored, and how long that took, is told apart.
        record[way] = {
            task.pop("id"): task
            for task in tasks
            if task.pop("started_at") and task.pop("duration_ms", 0) >= 0
        }
        out = ready.folder / "out"
        outputs[way] = sorted(
            (str(path.relative_to(out)), path.is_symlink(), path.lstat().st_mode)
            for path in out.rglob("*")
        )
    assert record[SHORT] == record[LONG]
    assert outputs[SHORT] == outputs[LONG]
    assert [name for name, *_ in outputs[SHORT]] == ["all", "empty", "link"]


def test_what_cannot_be_restored_at_the_door_runs_on_the_long_way(ready):
    lose_outputs(ready)
    for record in records(ready.folder / ".pipec" / "cache").values():
        if record.contents == b"a\ns\n":
            with record.pack.open("r+b") as pack:
                pack.seek(record.offset)
                pack.write(b"b")
    result = ready.pipec(*SHORT)
    assert result.status == 0
    assert "✓ build" in result.stderr
    assert (ready.folder / "out/all").read_text() == "a\ns\n"


def test_a_run_that_was_begun_at_the_door_goes_on_with_its_lock(ready):
    ready.write("src/b", "b")
    result = ready.pipec(*SHORT)
    assert result.status == 0
    assert "src/b added" in result.stderr
    record = json.loads((newest(ready) / "execution.json").read_text())
    assert newest(ready).name == record["run_id"]
    assert (ready.folder / ".pipec/run.lock").read_bytes() == b""


@pytest.mark.parametrize("keep", ["2", "0", "many"])
def test_records_are_kept_as_the_variable_says(ready, keep):
    for _ in range(3):
        status = ready.pipec(*SHORT, env={"PIPEC_KEEP_RUNS": keep}).status
    runs = list((ready.folder / ".pipec/runs").iterdir())
    assert (status, len(runs)) == {"2": (0, 2), "0": (0, 4), "many": (2, 1)}[keep]


def test_a_closed_output_ends_the_run_as_elsewhere(ready):
    process = ready.start(*SHORT)
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=30) in (0, 141)
    assert (ready.folder / ".pipec/run.lock").read_bytes() == b""


CHAIN = """\
name = "app"

[env]
TOKEN = {{ secret = "TOKEN" }}

[tasks.first]
inputs = ["src/**"]
outputs = ["out/**"]
cache = true
run = "mkdir -p out; cp src/a out/all; echo made"

[tasks.second]
depends-on = ["first"]
{second}

[tasks.third]
depends-on = ["second"]
inputs = ["out/**"]
outputs = []
cache = true
run = "cat out/all; echo $PIPEC_TASK $PIPEC_ATTEMPT ${{MODE:-none}}"

[tasks.fourth]
depends-on = ["third"]

[jobs.verify]
target = ["fourth"]
env = {{ MODE = "m" }}
"""

SECONDS = {
    "passes": 'run = "true"',
    "words": 'run = "cat  pipeline.toml src/a"',
    "argv": 'run = { argv = ["printf", "%s\\n", "a b"] }',
    "several-steps": 'run = ["echo a", { sh = "echo $X", env = { X = "x" }, cwd = "src" }, "pwd"]',
    "fails": 'run = "echo before; exit 3"',
    "fails-at-the-second-step": 'run = ["true", "echo no; false", "true"]',
    "may-fail": 'run = "false"\nallow-failure = true',
    "fails-for-good": 'run = "false"\nretry = { attempts = 3, delay = 1, backoff = 2 }',
    "passes-at-last": 'run = "test $PIPEC_ATTEMPT = 2"\nretry = 3',
    "takes-too-long": 'run = "sleep 300 & sleep 300"\ntimeout = "50ms"',
    "has-a-step-that-takes-too-long": 'run = [{ sh = "sleep 300", timeout = 50 }]\ntimeout = "1h"',
    "is-killed": 'run = "kill -9 $$"',
    "is-ended-by-its-own-signal": 'run = "kill -TERM $$; sleep 9"',
    "tells-a-secret": 'run = "echo a $TOKEN b; printf %s $TOKEN | base64; exit 1"',
    "is-a-secret": 'run = "correct-horse"',
    "cannot-be-found": 'run = { argv = ["no-such-program", "x"] }',
    "is-a-shell-s-not-to-find": 'run = "no-such-program x"',
    "cannot-be-executed": 'run = { argv = ["./pipeline.toml"] }',
    "is-a-folder": 'run = { argv = ["./src"] }',
    "has-no-first-line": 'run = "./plain a"',
    "has-no-folder": 'run = "true"\ncwd = "nowhere"',
    "has-many-lines": "run = '''\necho a\nfalse\n'''",
    "makes-nothing": 'run = "true"\noutputs = ["made"]\ncache = true',
    "makes-a-pipe": 'run = "mkfifo pipe"\noutputs = ["pipe"]\ncache = true',
    "makes-folders": 'run = "mkdir -p folders/empty"\noutputs = ["folders/**"]\ncache = true',
    "changes-what-it-reads": 'run = "echo b >> src/a"\ninputs = ["src/**"]\ncache = true',
    "needs-a-tool": 'run = "true"\nrequires = { tools = ["no-such", "sh", "none"] }',
    "needs-a-runtime": 'run = "true"\nrequires = { runtime = "nojs@20" }',
    "needs-a-secret": 'run = "echo $TOKEN"\nrequires = { secrets = ["TOKEN"] }',
    "sees-little": 'run = "env | sort | grep -v PIPEC_ | grep -v ^PATH"\nenv-mode = "strict"',
    "leaves-one-behind": 'run = ["sleep 300 >/dev/null 2>&1 & echo x", "echo y"]',
    "says-a-lot": 'run = "seq 100000"',
    "ends-without-a-line-end": 'run = "printf abc; exit 1"',
    "is-no-text": "run = '''printf \"\\\\377\\n\"; exit 1'''",
    "knows-its-place": 'run = "env PWD"',
}


@pytest.fixture
def no_python(tmp_path):
    """The environment of a pipec that cannot execute anything in Python."""
    folder = tmp_path / "no-python"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import sys\nsys.modules['pipec.runtime.executor'] = sys.modules['pipec.cli.main'] = None\n"
    )
    return {"PYTHONPATH": str(folder)}


def executed(project, pipeline, way, environment, shown=("--output-logs=new-only",)):
    """What two runs print and keep, with an edit in between."""
    project.write("pipeline.toml", pipeline)
    project.write("src/a", "a\n")
    project.write("plain", "echo $1\n").chmod(0o755)
    assert project.pipec("list").status == 0
    environment = {**environment, **GIVEN, "TOKEN": "correct-horse", "PIPEC_MAX_LOG_BYTES": "5000"}
    runs = []
    for _ in range(2):
        result = project.pipec(*way, *shown, env=environment)
        # A record that is printed has the same in it as one that is kept.
        result = dataclasses.replace(result, stdout=plain(project, result.stdout.encode()))
        runs.append((result, kept(project)))
        project.write("src/a", "b\n")
    return runs


@pytest.mark.parametrize(("way", "is_native"), [(NATIVE, True), (PYTHON, False)])
def test_each_way_is_executed_by_whom_its_name_says(ready, no_python, way, is_native):
    ready.write("src/a", "b\n")
    result = ready.pipec("run", "verify", *way, env=no_python)
    assert (result.status == 0) is is_native


@pytest.mark.parametrize("name", ["passes", "fails", "makes-nothing", "changes-what-it-reads"])
def test_both_ways_execute_alike(make_project, no_python, name):
    pipeline = CHAIN.format(second=SECONDS[name])
    short = executed(make_project("short"), pipeline, SHORT, no_python)
    assert short == executed(make_project("long"), pipeline, LONG, {})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("several-steps", ("--log-order", "stream")),
        ("tells-a-secret", ("--log-order=stream", "-v", "--color=always")),
        ("is-no-text", ("-q", "--log-order=stream")),
        ("passes-at-last", ("-v", "--output-logs=none")),
    ],
)
def test_both_ways_show_a_run_alike(make_project, no_python, name, shown):
    pipeline = CHAIN.format(second=SECONDS[name])
    short = executed(make_project("short"), pipeline, SHORT, no_python, shown)
    assert short == executed(make_project("long"), pipeline, LONG, {}, shown)


OPTIONS = {
    "goes-on": ("verify", "--continue=dependencies-successful"),
    "goes-on-always": ("verify", "--continue", "always", "--force"),
    "alone": ("third", "--only"),
    "several": ("third", "first", "fourth"),
    "a-task": ("third", "--timeout", "1h30m"),
    "with-arguments": ("third", "--", "a b", "$TOKEN", "correct-horse"),
    "as-json": ("verify", "--format", "json", "--concurrency=50%"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_both_ways_do_the_same_with_options(make_project, no_python, name):
    pipeline = CHAIN.format(second=SECONDS["fails"])
    words = ("--output-logs=new-only", *OPTIONS[name])
    # Before the first `--`: what stands behind it is no option.
    short = executed(make_project("short"), pipeline, ("run",), no_python, words)
    assert short == executed(make_project("long"), pipeline, ("run", "-C", "."), {}, words)


def test_both_ways_say_the_same_of_everything_that_can_become_of_a_task(make_project, no_python):
    pipeline = 'name = "app"\nenv = { TOKEN = { secret = "TOKEN" } }\n'
    before = "[]"
    for name, task in SECONDS.items():
        pipeline += f'[tasks."{name}"]\n{task}\ndepends-on = {before}\n'
        pipeline += "" if "allow-failure" in task else "allow-failure = true\n"
        before = f'["{name}"]'
    pipeline += f"[jobs.verify]\ntarget = {before}\n"
    short = executed(make_project("short"), pipeline, SHORT, no_python)
    long = executed(make_project("long"), pipeline, LONG, {})
    assert len(short[0][1]) > len(SECONDS)
    for name, text in short[0][1].items():
        assert text == long[0][1][name], name
    assert short == long
