"""Steps that are Python functions, as a user meets them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pipec
from tests.conftest import Project
from tests.e2e.records import read_records, statuses
from tests.e2e.survivors import MARK, assert_none_left

CALL = """
name = "app"
[tasks.work]
inputs = []
outputs = []
cache = true
run = { call = "tools.steps:work", with = { title = "Nightly", parts = [1, "two"] } }
"""

DYNAMIC = """
name = "app"
[tasks.link]
inputs = []
outputs = ["out"]
cache = true
run = { dynamic = "tools.steps:link", with = { words = ["a b", "$(touch oops)", "it's"] } }
"""


def last(project: Project) -> dict[str, object]:
    return read_records(project.folder)[-1]["tasks"][0]


def log_of(project: Project, task: str) -> str:
    """Nothing if the task printed nothing."""
    logs = sorted((project.folder / ".pipec/runs").glob(f"*/logs/{task}.log"))
    return logs[-1].read_text() if logs else ""


def with_call(project: Project, body: str, pipeline: str = CALL) -> None:
    project.write("pipeline.toml", pipeline)
    project.write("tools/steps.py", f"from pipec import Context, sh\n{body}")


def test_a_function_is_told_about_its_run_and_says_something_about_it(project):
    with_call(
        project,
        """
import json, os
def work(ctx: Context) -> None:
    facts = {
        "task_id": ctx.task_id, "run_id": ctx.run_id, "cwd": str(ctx.cwd), "here": os.getcwd(),
        "root": str(ctx.root.dir), "candidate": str(ctx.candidate.dir), "source": ctx.source,
        "env": ctx.env["GREETING"], "args": dict(ctx.args), "commit": ctx.candidate.commit,
        "ref": ctx.candidate.ref, "dirty": ctx.candidate.dirty,
    }
    ctx.log(json.dumps(facts))
    ctx.meta(checked=True, title=ctx.args["title"])
    ctx.meta({"count": 2, "title": "another"})
""",
        CALL.replace("inputs = []", 'inputs = []\ncwd = "web"\nenv = { GREETING = "hello" }'),
    )
    (project.folder / "web").mkdir()
    result = project.pipec("run", "work")
    assert result.status == 0, result.stderr
    record = read_records(project.folder)[-1]
    assert record["tasks"][0]["metadata"] == {"checked": True, "title": "another", "count": 2}
    assert record["tasks"][0]["attempts"][0]["steps"][0]["command"] == "call tools.steps:work"
    root = str(project.folder)
    assert json.loads(log_of(project, "work")) == {
        "task_id": "work",
        "run_id": record["run_id"],
        "cwd": f"{root}/web",
        "here": f"{root}/web",
        "root": root,
        "candidate": root,
        "source": None,
        "env": "hello",
        "args": {"title": "Nightly", "parts": [1, "two"]},
        "commit": None,
        "ref": None,
        "dirty": None,
    }
    # A hit says what the run that it comes from said.
    assert project.pipec("run", "work").status == 0
    assert last(project)["status"] == "cached"
    assert last(project)["metadata"] == {"checked": True, "title": "another", "count": 2}


def test_a_function_knows_the_state_of_the_candidate(project):
    def git(*words: str) -> str:
        own = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ["git", *own, *words],
            cwd=project.folder,
            env=project.environment,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    with_call(
        project,
        "def work(ctx):\n"
        "    c = ctx.candidate\n"
        "    ctx.meta(commit=c.commit, ref=c.ref, dirty=c.dirty, fingerprint=c.fingerprint)\n",
        CALL.replace("cache = true", "cache = false").replace("inputs = []", 'inputs = ["src"]'),
    )
    project.write("src", "1")
    project.write(".gitignore", ".pipec\n")
    git("init", "-q", "-b", "topic")
    git("add", ".")
    git("commit", "-qm", "all")
    commit = git("rev-parse", "HEAD")
    assert project.pipec("run", "work").status == 0
    first = last(project)["metadata"]
    assert first["commit"] == commit
    assert (first["ref"], first["dirty"]) == ("topic", False)
    project.write("src", "2")
    assert project.pipec("run", "work").status == 0
    second = last(project)["metadata"]
    assert second["dirty"] is True
    assert first["fingerprint"] != second["fingerprint"]
    assert len(first["fingerprint"]) == 64


def test_what_a_function_and_its_modules_are_decides_whether_it_runs(project):
    with_call(project, "from tools import deep\ndef work(ctx):\n    deep.go(ctx)\n")
    project.write(
        "tools/deep.py", "def go(ctx):\n    from .deeper import word\n    ctx.log(word)\n"
    )
    project.write("tools/deeper.py", "word = 'one'\n")
    project.write("tools/unrelated.py", "")
    for status in ("passed", "cached"):
        assert project.pipec("run", "work").status == 0
        assert last(project)["status"] == status
    project.write("tools/unrelated.py", "1\n")
    assert "1 cached" in project.pipec("run", "work").stderr
    project.write("tools/deeper.py", "word = 'two'\n")
    result = project.pipec("run", "work")
    assert "✓ work <time>  miss: module tools/deeper.py changed\n" in result.stderr
    assert log_of(project, "work") == "two\n"
    why = project.pipec("why", "work").stdout
    assert "miss: module tools/deeper.py changed" in why
    # Before it runs, too.
    project.write("tools/deep.py", "def go(ctx):\n    pass\n")
    explained = project.pipec("explain", "work", "--diff-inputs").stdout
    assert "  module tools/deep.py changed\n" in explained
    assert "  module tools/deeper.py changed\n" in explained
    names = project.pipec("key", "work", "--explain").stdout
    assert "· module tools/deep.py  <digest>" in names
    assert "· module tools/steps.py  <digest>" in names


def test_a_module_that_changes_while_it_runs_is_not_stored(project):
    with_call(
        project,
        "def work(ctx):\n"
        "    place = ctx.root.dir / 'tools/steps.py'\n"
        "    place.write_text(place.read_text() + '#')\n",
    )
    result = project.pipec("run", "work")
    assert "`tools/steps.py` changed while the task ran" in result.stderr
    assert result.status == 0
    assert project.pipec("run", "work").status == 0
    assert last(project)["status"] == "passed"


def test_no_bytecode_lands_beside_the_modules(project):
    with_call(project, "def work(ctx):\n    import tools.other\n")
    project.write("tools/other.py")
    assert project.pipec("run", "work").status == 0
    names = {path.name for path in (project.folder / "tools").iterdir()}
    assert names == {"other.py", "steps.py"}


def test_the_commands_of_a_dynamic_step_run_as_they_are_quoted(project):
    with_call(
        project,
        "def link(ctx):\n"
        "    print('linking')\n"
        "    return [sh('printf \"%s\\n\" {} > out', ctx.args['words']), sh('cat out')]\n",
        DYNAMIC,
    )
    result = project.pipec("run", "link")
    assert result.status == 0, result.stderr
    assert project.read("out") == "a b\n$(touch oops)\nit's\n"
    assert not (project.folder / "oops").exists()
    assert log_of(project, "link") == "linking\na b\n$(touch oops)\nit's\n"
    commands = [step["command"] for step in last(project)["attempts"][0]["steps"]]
    assert commands[1] == "cat out"


def test_the_commands_enter_the_key_and_the_function_does_not(project):
    with_call(project, "def link(ctx):\n    return [sh('echo {} > out', 'a')]\n", DYNAMIC)
    assert project.pipec("run", "link").status == 0
    # Written another way, it returns the same.
    with_call(project, "def link(ctx):\n    yield sh('echo a > out', name='x')\n", DYNAMIC)
    assert project.pipec("run", "link").status == 0
    assert last(project)["status"] == "cached"
    with_call(project, "def link(ctx):\n    return sh('echo {} > out', 'b')\n", DYNAMIC)
    result = project.pipec("run", "link")
    assert "miss: commands of step 1 changed" in result.stderr
    assert project.read("out") == "b\n"


def test_the_same_project_elsewhere_has_the_same_key(make_project):
    keys = []
    for name in ("here", "a place"):
        project = make_project(name)
        with_call(
            project,
            "def link(ctx):\n    return [sh('echo {} > out', ctx.candidate.dir / 'x')]\n",
            DYNAMIC,
        )
        assert project.pipec("run", "link").status == 0
        assert project.read("out") == f"{project.folder}/x\n"
        keys.append(last(project)["key"])
    # A folder that has to be quoted makes another command.
    assert keys[0] != keys[1]
    other = make_project("there")
    with_call(
        other,
        "def link(ctx):\n    return [sh('echo {} > out', ctx.candidate.dir / 'x')]\n",
        DYNAMIC,
    )
    assert other.pipec("run", "link").status == 0
    assert last(other)["key"] == keys[0]


def test_a_dynamic_function_is_called_once_in_a_run(project):
    with_call(
        project,
        "def link(ctx):\n"
        "    with open('calls', 'a') as file:\n"
        "        file.write('x')\n"
        "    return [sh('echo x >> tries; test $(wc -l < tries) -ge 3; touch out')]\n",
        DYNAMIC.replace("cache = true", "cache = true\nretry = 3"),
    )
    result = project.pipec("run", "link")
    assert result.status == 0, result.stderr
    assert project.read("calls") == "x"
    assert len(last(project)["attempts"]) == 3


def test_a_dry_run_calls_nothing(project):
    with_call(project, "raise SystemExit('imported')\n", DYNAMIC)
    for words in (("run", "link", "--dry"), ("check",), ("list",), ("graph",), ("compile",)):
        result = project.pipec(*words)
        assert result.status == 0, result.stderr
        assert "imported" not in result.stdout + result.stderr
    dry = project.pipec("run", "link", "--dry")
    assert dry.stdout == (
        "unknown  link  not known before the dynamic step runs\n1 task: 1 may run\n"
    )


OPTIONS = """
def link(ctx):
    return sh("pwd > ../out; echo $WORD >> ../out; echo $0 >> ../out", name="n", cwd="web",
              env={"WORD": "from the step"}, shell="bash", timeout=20)
"""


def test_a_returned_step_has_the_options_of_a_shell_step(project):
    with_call(project, OPTIONS, DYNAMIC)
    (project.folder / "web").mkdir()
    result = project.pipec("run", "link")
    assert result.status == 0, result.stderr
    assert project.read("out") == f"{project.folder}/web\nfrom the step\nbash\n"


FAILURES = {
    "no module": ("", "tools.nothing:work", "STEP_MODULE_MISSING", "there is no module `tools.not"),
    "a module that misses another": (
        "import surely_not_there\ndef work(ctx): ...\n",
        "tools.steps:work",
        "STEP_RAISED",
        "`tools.steps:work` raised ModuleNotFoundError: No module named 'surely_not_there' (tools",
    ),
    "no function": (
        "def works(ctx): ...\n",
        "tools.steps:work",
        "STEP_FUNCTION_MISSING",
        "`tools/steps.py` has no function `work`; did you mean `works`?",
    ),
    "a result": (
        "def work(ctx):\n    return 3\n",
        "tools.steps:work",
        "STEP_RESULT_UNSUITABLE",
        "`tools.steps:work` returned `int`, and a `call` returns nothing",
    ),
    "an exception": (
        "def work(ctx):\n    raise ValueError('no title')\n",
        "tools.steps:work",
        "STEP_RAISED",
        "`tools.steps:work` raised ValueError: no title (tools/steps.py:3)",
    ),
    "bad syntax": (
        "def work(ctx:\n",
        "tools.steps:work",
        "STEP_RAISED",
        "`tools.steps:work` raised SyntaxError: '(' was never closed (tools/steps.py:2)",
    ),
    "an exit": (
        "import sys\ndef work(ctx):\n    sys.exit(7)\n",
        "tools.steps:work",
        "STEP_FAILED",
        "`call tools.steps:work` ended with exit status 7",
    ),
    "a silent end": (
        "import os\ndef work(ctx):\n    os._exit(0)\n",
        "tools.steps:work",
        "STEP_FAILED",
        "`call tools.steps:work` ended before its function returned",
    ),
    "metadata that is no JSON": (
        "def work(ctx):\n    ctx.meta(x=object())\n",
        "tools.steps:work",
        "STEP_RAISED",
        "`tools.steps:work` raised TypeError: Object of type object is not JSON serializable (tool",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_each_failure_has_its_code_and_says_where(project, case):
    body, function, code, message = FAILURES[case]
    with_call(project, body, CALL.replace("tools.steps:work", function))
    result = project.pipec("run", "work")
    assert result.status == 1
    error = last(project)["error"]
    assert error["code"] == f"PIPEC_{code}"
    assert error["message"].startswith(message)
    # Frames of pipec's own say nothing to the author.
    assert "child.py" not in log_of(project, "work")


RESULTS = {
    "text": ("return 'echo a'", "returned `str`, and a `dynamic` function returns a list of `sh`"),
    "nothing": ("return None", "returned `NoneType`, and a `dynamic` function returns a list"),
    "a list of text": ("return [sh('a'), 'b']", "returned `str` as item 2, where an `sh` is expec"),
    "values for cmd": (
        "return sh('echo {}', 'a', shell='cmd')",
        "returned a command that cannot be: values cannot be quoted for `cmd`",
    ),
    "a bad timeout": ("return sh('a', timeout=-1)", "returned a step with the timeout `-1`"),
    "an exit": ("raise SystemExit(0)", "ended the process, and returned nothing"),
}


@pytest.mark.parametrize("case", RESULTS)
def test_a_dynamic_function_returns_commands(project, case):
    body, message = RESULTS[case]
    with_call(project, f"def link(ctx):\n    {body}\n", DYNAMIC)
    assert project.pipec("run", "link").status == 1
    error = last(project)["error"]
    assert error["code"] == "PIPEC_STEP_RESULT_UNSUITABLE"
    assert error["message"].startswith(f"`tools.steps:link` {message}")


def test_nothing_that_is_printed_is_taken_for_an_answer(project):
    forged = json.dumps({"kind": "end", "steps": []})
    with_call(
        project,
        f"import os\ndef work(ctx):\n    print('''{forged}''', flush=True)\n"
        f"    os.system('echo forged >&9; true')\n    raise ValueError('real')\n",
    )
    assert project.pipec("run", "work").status == 1
    assert last(project)["error"]["code"] == "PIPEC_STEP_RAISED"


def test_an_asynchronous_function_is_awaited(project):
    with_call(
        project,
        "import asyncio\nasync def work(ctx):\n    await asyncio.sleep(0)\n    ctx.meta(done=1)\n",
    )
    assert project.pipec("run", "work").status == 0
    assert last(project)["metadata"] == {"done": 1}


@pytest.mark.parametrize("kind", ["call", "dynamic"])
def test_a_function_that_takes_too_long_is_ended(project, kind):
    project.write(
        "pipeline.toml",
        f'name = "app"\n[tasks.work]\nrun = {{ {kind} = "tools.steps:work", timeout = "300ms" }}\n',
    )
    project.write(
        "tools/steps.py",
        "import subprocess\ndef work(ctx):\n    subprocess.run(['sleep', '1000'])\n",
    )
    mark = str(project.folder)
    process = project.start("run", "work", env={MARK: mark})
    process.communicate(timeout=60)
    assert process.returncode == 1
    error = last(project)["error"]
    assert error["code"] == "PIPEC_TIMED_OUT"
    assert f"`{kind} tools.steps:work` was ended: the step may take 300ms" in error["message"]
    assert_none_left(mark)


@pytest.mark.parametrize("kind", ["call", "dynamic"])
def test_an_interrupt_ends_the_function(project, kind):
    project.write(
        "pipeline.toml",
        f'name = "app"\n[tasks.work]\nrun = {{ {kind} = "tools.steps:work" }}\n',
    )
    project.write(
        "tools/steps.py",
        "import subprocess\ndef work(ctx):\n"
        "    open('started', 'w').close()\n    subprocess.run(['sleep', '1000'])\n",
    )
    os.mkfifo(project.folder / "started")
    mark = str(project.folder)
    process = project.start("run", "work", env={MARK: mark})
    (project.folder / "started").open("rb").close()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert last(project)["status"] == "cancelled"
    assert_none_left(mark)


STEPS = {
    "call": '{ call = "tools.steps:work" }',
    "dynamic": '{ dynamic = "tools.steps:work" }',
    "agent": '{ agent = "a", prompt = "x" }',
}


@pytest.mark.parametrize("kind", STEPS)
def test_no_step_outlives_pipec(project, kind):
    stubborn = "trap '' TERM INT; echo > started; setsid sleep 1000 & sleep 1000"
    project.write(
        "pipeline.toml",
        f'name = "app"\nagents.a.command = ["sh", "stubborn"]\n[tasks.work]\nrun = {STEPS[kind]}\n',
    )
    project.write("stubborn", stubborn)
    project.write(
        "tools/steps.py",
        "import subprocess\ndef work(ctx):\n    subprocess.run(['sh', 'stubborn'])\n",
    )
    os.mkfifo(project.folder / "started")
    mark = str(project.folder)
    process = project.start("run", "work", env={MARK: mark})
    (project.folder / "started").read_bytes()
    process.kill()
    process.communicate(timeout=60)
    assert_none_left(mark)


def test_no_secret_gets_out_of_a_function(project):
    secret = "s3cr3t-value-of-the-token"
    with_call(
        project,
        "import os\n"
        "def work(ctx):\n"
        "    token = ctx.env['TOKEN']\n"
        "    ctx.log(token)\n"
        "    ctx.meta({'it is ' + token: [token, {'deep': token}]})\n"
        "    raise ValueError(token)\n",
        CALL.replace("inputs = []", 'inputs = []\nenv = { TOKEN = { secret = "TOKEN" } }'),
    )
    result = project.pipec("run", "work", env={"TOKEN": secret})
    assert result.status == 1
    assert secret not in result.stdout + result.stderr
    for path in (project.folder / ".pipec").rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


def test_the_python_that_a_task_requires_runs_its_functions(project):
    with_call(
        project,
        "import sys\ndef work(ctx):\n    ctx.log(sys.argv0)\n".replace("sys.argv0", "ctx.env['X']"),
        CALL.replace("inputs = []", 'inputs = []\nrequires = { runtime = "python" }'),
    )
    wrapper = project.write("bin/python", f'#!/bin/sh\nX=wrapped exec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    path = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"
    result = project.pipec("run", "work", env={"PATH": path})
    assert result.status == 0, result.stderr
    assert log_of(project, "work") == "wrapped\n"


def test_other_tasks_go_on_when_a_function_fails(project):
    project.write(
        "pipeline.toml",
        'name = "app"\n'
        '[tasks.work]\nallow-failure = true\nrun = { dynamic = "tools.steps:work" }\n'
        '[tasks.rest]\ndepends-on = ["work"]\nrun = "true"\n',
    )
    project.write("tools/steps.py", "def work(ctx):\n    raise KeyError('x')\n")
    assert project.pipec("run", "rest").status == 0
    assert statuses(read_records(project.folder)[-1]) == {"work": "failed", "rest": "passed"}


def test_importing_what_steps_are_written_with_is_cheap(project):
    code = (
        "import sys; bare = set(sys.modules); from pipec import Context, sh; "
        "new = sorted(set(sys.modules) - bare); import json; print(json.dumps(new))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(pipec.__file__).parents[1])},
    )
    imported = set(json.loads(done.stdout))
    assert {name for name in imported if name.startswith("pipec")} == {
        "pipec", "pipec.steps", "pipec.steps.context", "pipec.steps.shell"
    }  # fmt: skip
    assert not imported & {"asyncio", "dataclasses", "inspect", "json", "pathlib", "typing"}
