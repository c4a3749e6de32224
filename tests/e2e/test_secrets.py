"""A secret is in nothing that pipec prints or keeps, in whichever form a task lets it out."""

import base64
import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import pytest

from pipec import run_cli
from tests.conftest import Project
from tests.e2e.collector import open_collector
from tests.e2e.mcp_client import connected
from tests.e2e.records import read_records, statuses
from tests.e2e.terminals import Gate, Terminal
from tests.e2e.ways import WAYS

SECRET = 'pa55"word/with+marks&ünïcode'
INTERRUPTED = 130
FORMS = {
    "plain": SECRET,
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "URL": quote(SECRET, safe=""),
    "JSON": json.dumps(SECRET)[1:-1],
    "JSON in UTF-8": json.dumps(SECRET, ensure_ascii=False)[1:-1],
}

PROGRAM = """
import base64, json, os, sys
from urllib.parse import quote
secret = os.environ["TOKEN"]
forms = [
    secret,
    base64.b64encode(secret.encode()).decode(),
    base64.urlsafe_b64encode(secret.encode()).decode(),
    quote(secret, safe=""),
    json.dumps(secret),
    json.dumps(secret, ensure_ascii=False),
    "basic " + base64.b64encode(b"user:" + secret.encode()).decode(),
]
for form in forms:
    # Every byte by itself, on either stream.
    for stream in (1, 2):
        for byte in ("<" + form + ">").encode():
            os.write(stream, bytes([byte]))
print(dict(os.environ))
sys.exit(f"cannot log in with {sys.argv}: {secret}")
"""

PIPELINE = """
name = "app"

[tasks.declared]
inputs = ["leak.py"]
outputs = []
cache = true
env = { TOKEN = { secret = "TOKEN" } }
run = 'python3 leak.py "$TOKEN"'

[tasks.required]
requires = { secrets = ["TOKEN"] }
allow-failure = true
retry = 2
run = 'python3 leak.py "$TOKEN"'

[tasks.passes]
inputs = ["leak.py"]
outputs = []
cache = true
env = { TOKEN = { secret = "TOKEN" } }
run = 'python3 leak.py "$TOKEN" || true'

[tasks.all]
depends-on = ["declared", "passes", "required"]

# Sees the host's environment, and with it the secret of the others.
[tasks.beside]
allow-failure = true
run = "python3 leak.py"

[jobs.verify]
target = "beside"
params = { word = { default = "" } }

[jobs.still]
target = "still"
params = { word = { default = "" } }

[tasks.still]
inputs = ["leak.py"]
outputs = []
cache = true
run = "true"

[tasks.of-a-step]
outputs = ["made"]
run = [{ sh = "touch made; python3 leak.py", env = { TOKEN = { secret = "TOKEN" } } }]
"""

EVERYTHING = """
name = "app"

[commands]
record = true
[[commands.rules]]
prefix = "pretend"
action = { mock = { code = 0, stdout = "", stderr = "" } }

[agents.parrot]
command = ["sh", "-c", "cat; python3 leak.py"]

[tasks.made-up]
env = { TOKEN = { secret = "TOKEN" } }
inputs = ["leak.py"]
outputs = []
cache = true
run = [{ dynamic = "steps:make" }, 'pretend "$TOKEN"']

[tasks.called]
env = { TOKEN = { secret = "TOKEN" } }
allow-failure = true
run = { call = "steps:work" }

[tasks.asked]
env = { TOKEN = { secret = "TOKEN" } }
allow-failure = true
run = { agent = "parrot", prompt-file = "prompt.md" }

[tasks.server]
env = { TOKEN = { secret = "TOKEN" } }
service = { ready = "listening" }
run = 'python3 leak.py "$TOKEN" || true; echo listening; exec sleep 600'

[tasks.client]
depends-on = ["server"]
inputs = ["leak.py"]
run = "python3 leak.py || true"

[tasks.cut-short]
allow-failure = true
timeout = "5s"
run = { argv = ["./no-such-program", "{TOKEN}"] }

[tasks.all]
depends-on = ["made-up", "called", "asked", "client", "cut-short"]
"""

STEPS = """
import os
from pipec import sh

def make(ctx):
    return [sh("echo {}", os.environ["TOKEN"]), sh("printf %s {}", os.environ["TOKEN"])]

def work(ctx):
    token = os.environ["TOKEN"]
    ctx.log(f"token {token}")
    ctx.meta(token=token, **{token: [token]})
    raise ValueError(f"cannot use {token}")
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.write("leak.py", PROGRAM)
    project.write(
        "tests/claims.json", json.dumps({"claims": [{"id": SECRET, "tests": ["cannot"]}]})
    )
    project.environment["TOKEN"] = SECRET
    return project


def leaks(text: bytes) -> list[str]:
    """The forms of the secret that are in a text; in base64 also in the middle of something."""
    inner = base64.b64encode(b"user:" + SECRET.encode())[8:-4]
    forms = {name: form.encode() for name, form in FORMS.items()}
    return [name for name, form in {**forms, "inner base64": inner}.items() if form in text]


def printed(app: Project, *words: str, env: dict[str, str] | None = None) -> bytes:
    """Both streams of a command."""
    out, err = app.start(*words, env=env).communicate(timeout=120)
    return out + err


def kept(folder: Path) -> dict[str, list[str]]:
    """The files that pipec keeps with the forms of the secret in them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    found = {str(path.relative_to(folder)): leaks(path.read_bytes()) for path in files}
    return {path: forms for path, forms in found.items() if forms}


def test_the_search_finds_what_leaks(app: Project) -> None:
    assert len(leaks("\n".join(FORMS.values()).encode())) == len(FORMS)
    assert leaks(base64.b64encode(b"user:" + SECRET.encode())) == ["inner base64"]


FORMATS = {
    "logs": ["--output-logs=new-only"],
    "stream": ["--output-logs", "full", "--log-order", "stream", "-v", "--concurrency", "1"],
    "JSON": ["--format", "json"],
    "lines": ["--format", "jsonl"],
}


@WAYS
@pytest.mark.parametrize("form", FORMATS)
def test_no_run_prints_or_keeps_a_secret(app: Project, way: tuple[str, ...], form: str) -> None:
    assert leaks(printed(app, "run", "all", *FORMATS[form], *way)) == []
    assert kept(app.folder / ".pipec") == {}
    (pack, *_) = (app.folder / ".pipec/runs").glob("*/context/declared.json")
    assert b"***" in pack.read_bytes()


@WAYS
def test_a_secret_that_only_another_task_declares_is_hidden(
    app: Project, way: tuple[str, ...]
) -> None:
    assert leaks(printed(app, "run", "beside", *way)) == []
    assert kept(app.folder / ".pipec") == {}
    # What has run before is known, and only a part of the pipeline is looked at again.
    printed(app, "run", "declared", "beside", *way)
    app.write("leak.py", PROGRAM + "\n")
    assert leaks(printed(app, "run", "passes", "beside", *way)) == []
    assert kept(app.folder / ".pipec") == {}
    assert b"***" in next((app.folder / ".pipec/runs").glob("*/logs/beside.log")).read_bytes()


@WAYS
@pytest.mark.parametrize("job", ["verify", "still"])
def test_a_secret_among_parameters_and_arguments_is_hidden(
    app: Project, way: tuple[str, ...], job: str
) -> None:
    # The second time there may be nothing to do.
    for _ in range(2):
        for form in ("json", "jsonl", "text"):
            words = ("--param", f"word={SECRET}", "--format", form, *way)
            assert leaks(printed(app, "run", job, *words)) == []
    assert leaks(printed(app, "run-task", job, "--", SECRET, f"--key={SECRET}")) == []
    assert kept(app.folder / ".pipec") == {}
    assert read_records(app.folder)[0]["request"]["params"] == {"word": "***"}


def test_no_kind_of_step_and_no_service_lets_a_secret_out(app: Project) -> None:
    app.write("pipeline.toml", EVERYTHING)
    app.write("steps.py", STEPS)
    app.write("prompt.md", f"say {SECRET}")
    assert leaks(printed(app, "run", "all", "--continue", "always", "--log-order", "stream")) == []
    (record,) = read_records(app.folder)
    ended = {"cut-short": "failed", "called": "failed", "asked": "failed", "made-up": "passed"}
    assert ended.items() <= statuses(record).items()
    assert kept(app.folder / ".pipec") == {}
    (run,) = (app.folder / ".pipec/runs").iterdir()
    for file in ("agents/asked.jsonl", "logs/server.log", "commands.jsonl", "context/called.json"):
        assert b"***" in (run / file).read_bytes(), file


@WAYS
def test_no_picture_on_a_terminal_has_a_secret(app: Project, way: tuple[str, ...]) -> None:
    app.write("leak.py", PROGRAM.replace("print(dict", "open('gate').read(); print(dict"))
    gate = Gate(app, "gate")
    with Terminal(app, "run", "beside", *way, columns=200) as terminal:
        terminal.until(lambda screen: "***" in screen)
        gate.open()
        terminal.end()
    assert leaks(terminal.output) == []


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_no_watch_prints_or_keeps_a_secret(app: Project, form: str) -> None:
    words = ("beside", "passes", "--output-logs", "full", "--format", form)
    process = app.start("watch", *words, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    said = b""
    for text in (PROGRAM + "\n", PROGRAM + "\n\n", None):
        for line in process.stdout:
            said += line
            if b"watch_waiting" in line or re.search(rb"passed.*\([0-9T.]+-[0-9a-f]{8}\)$", line):
                break
        if text is not None:
            # At once, or the watch may see a file that is still empty, and run once more.
            app.write("leak.new", text).replace(app.folder / "leak.py")
    process.send_signal(signal.SIGINT)
    said += process.communicate(timeout=60)[0]
    assert process.returncode == INTERRUPTED
    assert len(read_records(app.folder)) == 3
    # What stands in JSON is looked at as the reader gets it, too.
    events = [json.loads(line) for line in said.splitlines() if form == "jsonl"]
    said += "".join(event.get("text", "") for event in events).encode()
    assert b"***" in said
    assert leaks(said) == []
    assert kept(app.folder / ".pipec") == {}


def test_github_gets_secrets_only_to_mask_them(app: Project) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(app.folder / ".pipec-summary")}
    said = printed(app, "run", "all", "beside", env=env)
    rest = [line for line in said.splitlines() if not line.startswith(b"::add-mask::")]
    assert len(rest) < len(said.splitlines())
    assert leaks(b"\n".join(rest)) == []
    assert leaks((app.folder / ".pipec-summary").read_bytes()) == []
    assert kept(app.folder / ".pipec") == {}


def test_nothing_that_is_told_of_a_run_has_a_secret(app: Project) -> None:
    printed(app, "run", "all")
    app.write("leak.py", PROGRAM + "\n")
    printed(app, "run", "all")
    for words in (
        ["explain", "--run", "latest"],
        ["explain", "--run", "latest", "--format", "json"],
        ["runs", "show"],
        ["runs", "show", "--format", "json"],
        ["runs", "export"],
        ["runs", "export", "--format", "junit"],
        ["runs", "export", "--format", "context"],
        ["why", "declared", "--diff"],
        ["why", "declared", "--now", "--format", "json"],
        ["env", "declared"],
        ["env", "declared", "--format", "json"],
        ["profile"],
        ["doctor"],
        ["audit", "declared"],
        ["audit", "declared", "--format", "json"],
        ["audit", "of-a-step"],
        ["verify", "--twice", "declared"],
        ["verify", "--twice", "of-a-step"],
        ["run", SECRET],
        ["run", f"--{SECRET}"],
        ["run", "still", "--filter", SECRET],
        ["run", "verify", "--param", f"{SECRET}=1"],
        [SECRET],
        ["show", SECRET],
        ["runs", "show", SECRET],
        ["key", "declared", "--explain"],
    ):
        result = run_cli(words, cwd=app.folder, env=app.environment)
        assert result.stdout + result.stderr, words
        assert leaks((result.stdout + result.stderr).encode()) == [], words
    with open_collector() as collector:
        said = printed(app, "runs", "export", "--format", "otlp", "--to", collector.url)
    assert b"sent" in said
    assert leaks(b"".join(request.SerializeToString() for request in collector.requests)) == []


def test_what_changed_in_a_file_is_told_without_secrets(app: Project) -> None:
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=app.folder, check=True)
    for text in (f"# {SECRET}\n", f"# {SECRET} again\n"):
        app.write("leak.py", text)
        subprocess.run([*git, "add", "leak.py"], cwd=app.folder, check=True)
        message = f"Say {SECRET}"
        subprocess.run([*git, "commit", "-q", "-m", message], cwd=app.folder, check=True)
        printed(app, "run", "passes")
    for words in (["--diff"], ["--format", "json"]):
        said = printed(app, "why", "passes", *words)
        assert b"again" in said
        assert leaks(said) == []


def test_no_answer_over_mcp_has_a_secret(app: Project) -> None:
    heard: list[str] = []

    async def hear(_: float, __: float | None, message: str | None) -> None:
        heard.append(message or "")

    async def main() -> None:
        with anyio.fail_after(60):
            async with connected(app, "--allow-run") as client:
                calls: list[tuple[str, dict[str, Any]]] = [
                    ("run_job", {"job": "all"}),
                    ("run_job", {"job": "verify", "params": {"word": SECRET}}),
                    ("run_job", {"job": "verify", "params": {SECRET: "1"}}),
                    ("run_job", {"job": SECRET}),
                    ("read_run", {"run": "latest"}),
                    ("list_runs", {}),
                    ("list_tasks", {}),
                    ("graph", {}),
                    ("graph", {"job": SECRET}),
                    ("why", {"task": "declared"}),
                    ("diff_inputs", {"task": "declared"}),
                    ("explain_task", {"task": "declared"}),
                    ("explain_task", {"task": SECRET}),
                    ("metadata", {}),
                ]
                for name, arguments in calls:
                    result = await client.call_tool(name, arguments, progress_callback=hear)
                    heard.append(result.model_dump_json())

    anyio.run(main)
    assert len(heard) > 14
    assert leaks("\n".join(heard).encode()) == []
    assert kept(app.folder / ".pipec") == {}


@WAYS
@pytest.mark.parametrize("length", [1, 2, 3, 7, 64, 4096])
def test_a_secret_is_found_however_a_log_is_cut(
    project: Project, way: tuple[str, ...], length: int
) -> None:
    project.write("pipeline.toml", PIPELINE)
    program = "import os\ntext = ('x' * 4093 + os.environ['TOKEN']) * 3\n"
    program += (
        f"for i in range(0, len(text), {length}):\n    os.write(1, text[i:i+{length}].encode())\n"
    )
    project.write("leak.py", program + "raise SystemExit(1)\n")
    project.environment["TOKEN"] = SECRET
    assert leaks(printed(project, "run", "declared", *way)) == []
    (log,) = (project.folder / ".pipec/runs").glob("*/logs/declared.log")
    assert re.fullmatch(rb"(x{4093}\*\*\*){3}", log.read_bytes())
    assert kept(project.folder / ".pipec") == {}
