"""`pipec watch` and everything but inputs that is a part of keys: code, prompts, values, rules."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records, statuses
from tests.e2e.watching import Watch

Start = Callable[..., Watch]

PIPELINE = """
name = "app"
env-files = ["env/one"]
[agents.a]
command = ["cat"]
[task-defaults."*"]
inputs = []
outputs = []
cache = true
[tasks.calls]
run = { call = "tools.report:go" }
[tasks.makes]
run = { dynamic = "tools.make:go" }
[tasks.asks]
run = { agent = "a", prompt-file = "prompts/one.md" }
[tasks.asks-of-a-command]
inputs = [{ command = "cat version" }]
run = { agent = "a", prompt-file = "prompts/two.md" }
[tasks.picks]
inputs = [{ file = "values/a.json", key = "x" }]
run = "true"
[tasks.all]
depends-on = ["calls", "makes", "asks", "asks-of-a-command", "picks"]
"""


def runs(project: Project) -> list[dict[str, Any]]:
    return read_records(project.folder)


def test_everything_that_is_part_of_a_key_wakes_it(project: Project, watch: Start) -> None:
    files = {
        "tools/report.py": "from tools import deep\ndef go(ctx): deep.say(ctx)\n",
        "tools/deep.py": "try:\n    import far.away\nexcept ImportError: pass\n"
        "def say(ctx): ctx.log('x')\n",
        "tools/make.py": "from pipec import sh\ndef go(ctx): return sh('true')\n",
        "prompts/one.md": "1",
        "prompts/two.md": "1",
        "values/a.json": '{"x": 1, "y": 1}',
        "env/one": "A=1\n",
        "version": "1",
        "far/other.txt": "",
    }
    for path, text in files.items():
        project.write(path, text)
    project.write("pipeline.toml", PIPELINE)
    watching = watch("all")
    assert watching.rest()["runs"] == 1
    edits = {
        "tools/deep.py": ["calls"],
        "tools/make.py": ["makes"],
        "prompts/one.md": ["asks"],
        "prompts/two.md": ["asks-of-a-command"],
        "far/away.py": ["calls"],
    }
    for path, tasks in edits.items():
        # As it was first: that runs nothing.
        project.write("prompts/one.md", files.get("prompts/one.md", ""))
        files[path] = files.get(path, "") + "\n"
        project.write(path, files[path])
        assert watching.until("watch_changed")["tasks"] == tasks, path
        watching.rest()
    project.write("values/a.json", '{"x": 1, "y": 2}')
    project.write("values/a.json", '{"x": 2, "y": 2}')
    assert watching.until("watch_changed")["tasks"] == ["picks"]
    watching.rest()
    project.write("env/one", "A=2\n")
    changed = watching.until("watch_changed")["tasks"]
    assert watching.rest()["runs"] == 8
    assert watching.end() == 130
    # Each that sees the file's values: all that run something.
    assert set(changed) == {"calls", "makes", "asks", "asks-of-a-command", "picks"}


@pytest.mark.parametrize("kind", ["call", "dynamic"])
def test_a_function_under_way_whose_code_changes_is_ended_and_called_again(
    project: Project, watch: Start, kind: str
) -> None:
    code = (
        "import signal, sys, time\nfrom pipec import sh\n"
        "def end(*_):\n    time.sleep(0.2)\n    open('log', 'a').write('ended\\n')\n"
        "    sys.exit(1)\n"
        "def go(ctx):\n"
        "    open('log', 'a').write('VERSION\\n')\n"
        "    signal.signal(signal.SIGTERM, end)\n"
        "    open('started', 'w').close()\n"
        "    if 'VERSION' == 'one': time.sleep(300)\n"
        "    return RESULT\n"
    ).replace("RESULT", "None" if kind == "call" else "sh('true')")
    project.write("pipeline.toml", f'name = "app"\n[tasks.a]\nrun = {{ {kind} = "steps:go" }}\n')
    project.write("steps.py", code.replace("VERSION", "one"))
    os.mkfifo(project.folder / "started")
    watching = watch("a")
    (project.folder / "started").read_text()
    project.write("steps.py", code.replace("VERSION", "two"))
    assert watching.until("watch_changed")["tasks"] == ["a"]
    (project.folder / "started").read_text()
    assert watching.rest()["runs"] == 2
    assert watching.end() == 130
    # It was waited for before the next one began.
    assert project.read("log").split() == ["one", "ended", "two"]
    assert [record["reason"] for record in runs(project)[:1]] == ["inputs changed"]
    assert [statuses(record)["a"] for record in runs(project)] == ["cancelled", "passed"]


def test_a_function_that_raises_is_called_again_when_its_code_changes(
    project: Project, watch: Start
) -> None:
    project.write("pipeline.toml", 'name = "app"\n[tasks.a]\nrun = { dynamic = "steps:go" }\n')
    bad = "def go(ctx):\n    open('log', 'a').write('x')\n    raise ValueError\n"
    good = "from pipec import sh\ndef go(ctx): return sh('true')\n"
    project.write("steps.py", good)
    watching = watch("a")
    watching.rest()
    for number, code in enumerate((bad, bad + "\n", good), start=2):
        project.write("steps.py", code)
        assert watching.rest()["runs"] == number
        project.write("other", "wakes it, and nothing else")
    assert watching.end() == 130
    assert project.read("log") == "xx"
    assert [record["status"] for record in runs(project)] == [
        "passed", "failed", "failed", "passed",
    ]  # fmt: skip


def test_a_rule_that_changes_decides_anew(project: Project, watch: Start) -> None:
    task = '[tasks.a]\nrun = "echo x >> log"\n'
    rule = '[[commands.rules]]\nprefix = "echo"\naction = '
    project.write("pipeline.toml", f'name = "app"\n{rule}"deny"\n{task}')
    watching = watch("a")
    # What is denied is not tried again and again.
    assert watching.rest()["runs"] == 1
    for number, action in enumerate(
        ('"allow"', '{ deny = "not today" }', '{ mock = { stdout = "y" } }', '"allow"'), start=2
    ):
        project.write("pipeline.toml", f'name = "app"\n{rule}{action}\n{task}')
        assert watching.until("watch_changed")["tasks"] == ["a"], action
        assert watching.rest()["runs"] == number
    assert watching.end() == 130
    assert project.read("log") == "x\nx\n"
    assert [statuses(record)["a"] for record in runs(project)] == [
        "failed", "passed", "failed", "passed", "passed",
    ]  # fmt: skip


def test_a_run_that_takes_too_long_ends_and_the_watch_goes_on(
    project: Project, watch: Start
) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[jobs.j]\ntarget = "after"\ntimeout = "1s"\n'
        '[tasks.web]\ninputs = ["web"]\nrun = "cat web; exec sleep 300"\n'
        'service = { ready = { command = "grep -q up web" } }\n'
        '[tasks.a]\ndepends-on = ["web"]\ninputs = ["src"]\n'
        'run = "grep -q quick src || sleep 300"\n'
        '[tasks.after]\ndepends-on = ["a"]\nrun = "true"\n',
    )
    project.write("web", "down")
    project.write("src", "slow")
    watching = watch("j")
    assert watching.rest()["runs"] == 1
    project.write("web", "up")
    assert watching.rest()["runs"] == 2
    project.write("src", "quick")
    assert watching.rest()["runs"] == 3
    assert watching.end() == 130
    records = runs(project)
    reason = "timed out: the job `j` may take 1s"
    assert [record.get("reason") for record in records] == [reason, reason, None]
    assert [record["status"] for record in records] == ["failed", "failed", "passed"]
    assert statuses(records[1]) == {"web": "passed", "a": "cancelled", "after": "skipped"}
    codes = {warning["code"] for record in records[:2] for warning in record["warnings"]}
    assert codes == {"PIPEC_TIMED_OUT"}


def test_the_log_of_a_service_is_kept_as_long_as_it_is_up(project: Project, watch: Start) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.web]\ninputs = []\nrun = "echo up; cat say; exec sleep 300"\n'
        'service = { ready = "up" }\n'
        '[tasks.test]\ndepends-on = ["web"]\ninputs = ["src"]\nrun = "cat src"\n',
    )
    os.mkfifo(project.folder / "say")
    project.write("src", "1")
    watching = watch("test", env={"PIPEC_KEEP_RUNS": "2"})
    watching.rest()
    for number in (2, 3, 4):
        project.write("src", f"{number}")
        watching.rest()
    (project.folder / "say").write_text("much later\n")
    watching.until("output_chunk", "web")
    assert watching.end() == 130
    records = runs(project)
    assert len(records) == 2
    for record in records:
        (web,) = (task for task in record["tasks"] if task["id"] == "web")
        log = project.read(f".pipec/runs/{record['run_id']}/{web['log']}")
        assert log == "up\nmuch later\n"


def test_a_service_starts_again_when_what_it_reads_of_files_changes(
    project: Project, watch: Start
) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.web]\ninputs = [{ file = "settings.json", key = "port" }]\n'
        'run = "echo x >> starts; echo up; exec sleep 300"\nservice = { ready = "up" }\n',
    )
    project.write("settings.json", '{"port": 1, "other": 1}')
    watching = watch("web")
    watching.rest()
    project.write("settings.json", '{"port": 1, "other": 2}')
    project.write("settings.json", '{"port": 2, "other": 2}')
    assert watching.until("service_stopped")["reason"] == "its inputs changed"
    watching.rest()
    assert watching.end(signal.SIGTERM) == 143
    assert project.read("starts") == "x\n" * 2
