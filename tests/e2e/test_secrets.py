"""A secret is in nothing that pipec prints or keeps, in whichever form a task lets it out."""

import base64
import json
import re
import sys
from pathlib import Path
from urllib.parse import quote

import anyio
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.conftest import Project
from tests.e2e.collector import open_collector

SECRET = 'pa55"word/with+marks&ünïcode'
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


WAYS = {
    "in the core": ["run", "all", "--output-logs=new-only"],
    "in Python": ["run", "all", "--output-logs", "full", "--concurrency", "1"],
    "as JSON": ["run", "all", "--format", "json"],
    "as lines": ["run", "all", "--format", "jsonl"],
}


@pytest.mark.parametrize("way", WAYS)
def test_no_run_prints_or_keeps_a_secret(app: Project, way: str) -> None:
    assert leaks(printed(app, *WAYS[way])) == []
    assert kept(app.folder / ".pipec") == {}
    (pack, *_) = (app.folder / ".pipec/runs").glob("*/context/declared.json")
    assert b"***" in pack.read_bytes()


def test_github_gets_secrets_only_to_mask_them(app: Project) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(app.folder / ".pipec-summary")}
    said = printed(app, "run", "all", env=env)
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
        ["verify", "--twice", "declared"],
    ):
        said = printed(app, *words)
        assert said, words
        assert leaks(said) == [], words
    with open_collector() as collector:
        said = printed(app, "runs", "export", "--format", "otlp", "--to", collector.url)
    assert b"sent" in said
    assert leaks(b"".join(request.SerializeToString() for request in collector.requests)) == []


def test_no_answer_over_mcp_has_a_secret(app: Project) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "pipec", "mcp", "--allow-run"],
        cwd=app.folder,
        env=app.environment,
    )
    heard: list[str] = []

    async def hear(_: float, __: float | None, message: str | None) -> None:
        heard.append(message or "")

    async def main() -> None:
        with anyio.fail_after(60):
            async with Client(stdio_client(server)) as client:
                calls = {
                    "run_job": {"job": "all"},
                    "read_run": {"run": "latest"},
                    "list_runs": {},
                    "why": {"task": "declared"},
                    "diff_inputs": {"task": "declared"},
                    "explain_task": {"task": "declared"},
                    "metadata": {},
                }
                for name, arguments in calls.items():
                    result = await client.call_tool(name, arguments, progress_callback=hear)
                    heard.append(result.model_dump_json())

    anyio.run(main)
    assert len(heard) > 7
    assert leaks("\n".join(heard).encode()) == []
    assert kept(app.folder / ".pipec") == {}


@pytest.mark.parametrize("length", [1, 2, 3, 7, 64, 4096])
def test_a_secret_is_found_however_a_log_is_cut(project: Project, length: int) -> None:
    project.write("pipeline.toml", PIPELINE)
    program = "import os\ntext = ('x' * 4093 + os.environ['TOKEN']) * 3\n"
    program += (
        f"for i in range(0, len(text), {length}):\n    os.write(1, text[i:i+{length}].encode())\n"
    )
    project.write("leak.py", program + "raise SystemExit(1)\n")
    project.environment["TOKEN"] = SECRET
    assert leaks(printed(project, "run", "declared")) == []
    (log,) = (project.folder / ".pipec/runs").glob("*/logs/declared.log")
    assert re.fullmatch(rb"(x{4093}\*\*\*){3}", log.read_bytes())
    assert kept(project.folder / ".pipec") == {}
