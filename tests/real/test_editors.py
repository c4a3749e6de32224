"""The engines of editors, with the schema of pipec.

No complaint of what is right, a mark at what is wrong, completion of keys with what they are for.
"""

import itertools
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipec.spec.task import TaskSpec
from tests.lsp.client import Client
from tests.real.engines import SERVERS, Server
from tests.real.workshop import Workshop

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

SCHEMA = Path(__file__).parents[2] / "schemas" / "pipeline.schema.json"
TOML = """\
#:schema ./pipeline.schema.json
name = "app"
env = { MODE = "x", TOKEN = { secret = "TOKEN" } }

[named-inputs]
source = ["src/**", { env = "NODE_ENV" }]

[task-defaults."*"]
timeout = "5m"

[tasks.build]
description = "Bundles the app"
inputs = ["source"]
outputs = ["dist/**", { glob = "maps/**", optional = true }]
cache = { store = "team", policy = "read" }
retry = { attempts = 2, delay = "1s" }
run = ["pnpm build", { argv = ["node", "x.js"] }]

[tasks.build.matrix]
os = ["a", "b"]

[tasks.web.default]
depends-on = ["test"]

[tasks.web.test]
run = { sh = "x", shell = "bash" }

[jobs.verify]
target = ["web", "build"]
trigger = ["pr"]

[jobs.verify.github]
permissions = { contents = "read" }
runs-on = "ubuntu-latest"

[triggers]
pr = { github = { events = ["pull_request"] } }

[cache]
default = "file:local"

[cache.stores.team.file]
root = "x"
"""
YAML = """\
# yaml-language-server: $schema=./pipeline.schema.json
name: app
env: {MODE: x, TOKEN: {secret: TOKEN}}
named-inputs:
  source: ["src/**", {env: NODE_ENV}]
tasks:
  build:
    description: Bundles the app
    inputs: [source]
    outputs: ["dist/**", {glob: "maps/**", optional: true}]
    cache: {store: team, policy: read}
    run:
      - pnpm build
      - argv: [node, x.js]
  web:
    default: {depends-on: [test]}
    test: {run: {sh: x, shell: bash}}
jobs:
  verify:
    target: [web, build]
    trigger: [pr]
triggers:
  pr: {github: {events: [pull_request]}}
cache:
  stores:
    team: {file: {root: x}}
"""
TEXTS = {"toml": ("pipeline.toml", TOML), "yaml": ("pipec.yaml", YAML)}
# What is wrong: what it is put in the place of, and the line that has to be marked.
Wrong = Sequence[tuple[str, str, str]]
WRONG: dict[str, Wrong] = {
    "toml": (
        ("description =", "desciption =", "desciption ="),
        ('runs-on = "ubuntu-latest"', 'runsOn = "x"', "runsOn ="),
        ('target = ["web", "build"]', "target = 3", "target = 3"),
        ('name = "app"', "nam = 3\nname = 'app'", "nam = 3"),
        ('policy = "read"', 'policy = "reed"', "cache = {"),
    ),
    "yaml": (
        ("    description:", "    desciption:", "    desciption:"),
        ("    target: [web, build]", "    target: 3", "    target: 3"),
        ("name: app", "nam: 3\nname: app", "nam: 3"),
        ("policy: read", "policy: reed", "    cache:"),
    ),
}


# Taplo marks the table that a key does not fit in, and for the outermost table all that is in it.
WRONG["taplo"] = tuple(
    (right, wrong, {"runsOn =": "[jobs.verify.github]", "nam = 3": ""}.get(line, line))
    for right, wrong, line in WRONG["toml"]
)


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    """Fetched once, and kept."""
    return Workshop.open()


@pytest.fixture(params=SERVERS, ids=[server.__name__ for server in SERVERS])
def opened(request: Any, workshop: Workshop, tmp_path: Path) -> Iterator["Opened"]:
    """A server with the schema next to its files."""
    server = request.param(workshop)
    client = server.start(tmp_path, workshop.environment(tmp_path / "home"))
    yield Opened(
        client, server, tmp_path, WRONG.get(request.param.__name__, WRONG[server.notation])
    )
    client.kill()


class Opened:
    """A server and the pipeline that is open in it."""

    def __init__(self, client: Client, server: Server, folder: Path, wrong: Wrong) -> None:
        self.client = client
        self.wrong = wrong
        self.notation = server.notation
        self.rounds = server.rounds
        self.name, self.text = TEXTS[self.notation]
        self.folder = folder
        self.shown = 0

    def show(self, text: str) -> list[str]:
        """The lines of a text that the server marks, from the first on."""
        self.shown += 1
        # A file of its own: what a server says of it is about this text.
        path = self.folder / str(self.shown) / self.name
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        path.with_name(SCHEMA.name).write_bytes(SCHEMA.read_bytes())
        self.uri = path.as_uri()
        item = {"uri": self.uri, "languageId": self.notation, "version": 1, "text": text}
        self.client.notify("textDocument/didOpen", {"textDocument": item})
        rounds = itertools.count(1)
        said = self.client.wait_for(
            "textDocument/publishDiagnostics",
            lambda params: params["uri"] == self.uri and next(rounds) == self.rounds,
        )
        lines = text.splitlines()
        return [lines[one["range"]["start"]["line"]] for one in said["diagnostics"]]

    def complete(self, text: str) -> Mapping[str, Any]:
        """What is offered where the text has a bar, by its label."""
        before = text[: text.index("|")].split("\n")
        self.show(text.replace("|", ""))
        place = {"line": len(before) - 1, "character": len(before[-1])}
        params = {"textDocument": {"uri": self.uri}, "position": place}
        answer = self.client.request("textDocument/completion", params)
        items = answer["items"] if isinstance(answer, dict) else answer
        return {item["label"]: item for item in items}


def test_a_server_marks_what_is_wrong_and_nothing_else(opened: Opened) -> None:
    assert opened.show(opened.text) == []
    for right, wrong, line in opened.wrong:
        marked = opened.show(opened.text.replace(right, wrong, 1))
        assert marked, wrong
        assert [one for one in marked if not one.startswith(line)] == []


def test_a_server_offers_the_keys_of_a_task_with_what_they_are_for(opened: Opened) -> None:
    text = '#:schema ./pipeline.schema.json\nname = "app"\n[tasks.build]\nrun = "x"\n|\n'
    if opened.notation == "yaml":
        head = "# yaml-language-server: $schema=./pipeline.schema.json\n"
        text = f"{head}name: app\ntasks:\n  build:\n    run: x\n    |\n"
    offered = opened.complete(text)
    order = TaskSpec.keys()
    assert set(order) - {"run"} <= set(offered)
    assert "run" not in offered
    said = offered["depends-on"]["documentation"]
    assert "Tasks that must pass before this one starts." in said["value"]


def test_the_linter_of_taplo_marks_what_is_wrong_and_nothing_else(
    workshop: Workshop, tmp_path: Path
) -> None:
    """The linter that runs in CI, where no editor is."""
    (tmp_path / "pipeline.schema.json").write_bytes(SCHEMA.read_bytes())
    path = tmp_path / "pipeline.toml"

    def lint(text: str) -> tuple[int, str]:
        path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [workshop.program("taplo"), "lint", "--no-auto-config", "pipeline.toml"],
            cwd=tmp_path,
            env=workshop.environment(tmp_path / "home"),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    assert lint(TOML)[0] == 0
    for right, wrong, line in WRONG["toml"]:
        text = TOML.replace(right, wrong, 1)
        status, said = lint(text)
        assert status == 1
        number = 1 + next(i for i, one in enumerate(text.splitlines()) if one.startswith(line))
        assert f"pipeline.toml:{number}:" in said, said
