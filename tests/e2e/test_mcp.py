"""`pipec mcp`, spoken to by the client of the official SDK over standard input and output."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client

from tests.conftest import Project
from tests.e2e.mcp_client import connected
from tests.e2e.records import read_records, statuses

PIPELINE = """
name = "app"

[tasks.build]
description = "Bundle"
inputs = ["src/**"]
outputs = ["out"]
cache = true
run = "cat src/* > out"

[tasks.test]
depends-on = ["build"]
run = "! grep -q bug out"

[jobs.verify]
target = "test"
params = { level = { default = "1" } }
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.write("src/a", "one\n")
    return project


def talk(app: Project, say: Callable[[Client], Awaitable[Any]], *words: str) -> Any:
    """Connects, talks, and gives what came of it."""

    async def main() -> Any:
        with anyio.fail_after(60):
            async with connected(app, *words) as client:
                return await say(client)

    return anyio.run(main)


def ask(app: Project, tool: str, *words: str, **arguments: Any) -> Any:
    """The answer of one tool: text and structure say the same."""

    async def say(client: Client) -> Any:
        return await client.call_tool(tool, arguments)

    result = talk(app, say, *words)
    if not result.is_error:
        assert json.loads(result.content[0].text) == result.structured_content
    return result


def test_the_tools_that_run_nothing_are_listed(app: Project) -> None:
    async def say(client: Client) -> Any:
        return client.server_info, (await client.list_tools()).tools

    info, tools = talk(app, say)
    assert info.name == "pipec"
    assert [tool.name for tool in tools] == [
        "list_tasks",
        "graph",
        "explain_task",
        "metadata",
        "diff_inputs",
        "why",
        "list_runs",
        "read_run",
    ]
    assert all(tool.input_schema["additionalProperties"] is False for tool in tools)
    assert all(tool.annotations.read_only_hint for tool in tools)


def test_looking_tools_answer_like_the_commands(app: Project) -> None:
    app.pipec("verify")
    app.write("src/a", "bug\n")
    app.pipec("verify")
    newest = read_records(app.folder)[-1]

    async def say(client: Client) -> dict[str, Any]:
        calls: dict[str, dict[str, Any]] = {
            "list_tasks": {},
            "graph": {"job": "verify"},
            "explain_task": {"task": "build"},
            "metadata": {},
            "diff_inputs": {"task": "build"},
            "why": {"task": "build"},
            "list_runs": {"limit": 1},
            "read_run": {"run": "latest"},
        }
        return {name: await client.call_tool(name, given) for name, given in calls.items()}

    told = {name: result.structured_content for name, result in talk(app, say).items()}

    def printed(*words: str) -> Any:
        process = app.start(*words, "--format", "json")
        return json.loads(process.communicate()[0])

    assert told["list_tasks"] == printed("list")
    assert told["graph"] == printed("graph", "verify")
    assert told["explain_task"] == printed("show", "build")
    assert told["metadata"]["pipeline"] == printed("compile")
    assert told["diff_inputs"] == printed("explain", "build", "--diff-inputs")
    assert told["why"] == printed("why", "build")
    assert told["list_runs"]["runs"] == printed("runs", "ls")["runs"][:1]
    assert told["read_run"]["record"] == newest
    (pack,) = told["read_run"]["context_packs"]
    assert pack["reproduce"] == "pipec run verify"


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("explain_task", {}),
    ("explain_task", {"task": 5}),
    ("explain_task", {"task": "build", "extra": 1}),
    ("explain_task", {"task": "nosuch"}),
    ("list_runs", {"limit": 0}),
    ("list_runs", {"limit": "5"}),
    ("list_tasks", {"path": "/"}),
    ("why", {"task": "build", "run": "../x"}),
    ("nosuch", {}),
    ("run_job", {"job": "verify"}),
]


def test_wrong_calls_are_refused(app: Project) -> None:
    async def say(client: Client) -> Any:
        # Past what the client itself would check.
        return [await client.session.call_tool(tool, arguments) for tool, arguments in WRONG]

    results = talk(app, say)
    assert [result.is_error for result in results] == [True] * len(WRONG)
    codes = [result.structured_content["error"]["code"] for result in results]
    assert codes == ["PIPEC_USAGE"] * 3 + ["PIPEC_UNKNOWN_TARGET"] + ["PIPEC_USAGE"] * 6
    assert read_records(app.folder) == []


NO_RUN = ["../../secret", "..", ".", "/etc", "latest/../../secret", "", "a/b", "20", "%2e%2e", "\0"]


def test_an_id_never_becomes_a_path(app: Project) -> None:
    app.write("secret/execution.json", json.dumps({"run_id": "x", "tasks": [], "stolen": True}))
    app.write(".pipec/secret/execution.json", json.dumps({"run_id": "stolen", "tasks": []}))
    app.pipec("run", "build")
    app.pipec("run", "build")

    async def say(client: Client) -> Any:
        return [await client.session.call_tool("read_run", {"run": run}) for run in NO_RUN]

    for result in talk(app, say):
        assert result.is_error
        assert "stolen" not in result.content[0].text


def test_a_pipeline_that_changed_is_read_anew(app: Project) -> None:
    async def say(client: Client) -> Any:
        before = await client.call_tool("list_tasks", {})
        app.write("pipeline.toml", PIPELINE + '\n[tasks.more]\nrun = "true"\n')
        after = await client.call_tool("list_tasks", {})
        app.write("pipeline.toml", "name = 'app'\nnmae = 1\n")
        wrong = await client.call_tool("list_tasks", {})
        app.write("pipeline.toml", PIPELINE)
        again = await client.call_tool("list_tasks", {})
        return before, after, wrong, again

    before, after, wrong, again = talk(app, say)
    names = lambda result: [task["id"] for task in result.structured_content["tasks"]]  # noqa: E731
    assert names(before) == names(again) == ["build", "test"]
    assert names(after) == ["build", "more", "test"]
    assert wrong.is_error
    assert "did you mean `name`?" in wrong.content[0].text


def test_a_job_is_run_with_progress(app: Project) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(done: float, total: float | None, message: str | None) -> None:
        heard.append((done, total, message))

    async def say(client: Client) -> Any:
        arguments = {"job": "verify", "params": {"level": "2"}}
        return await client.call_tool("run_job", arguments, progress_callback=hear)

    result = talk(app, say, "--allow-run")
    assert not result.is_error
    (record,) = read_records(app.folder)
    assert result.structured_content["record"] == record
    assert record["request"]["params"] == {"level": "2"}
    assert statuses(record) == {"build": "passed", "test": "passed"}
    assert [done for done, _, _ in heard] == sorted(done for done, _, _ in heard)
    assert heard[-1] == (2, 2, "test passed")


def test_a_failed_run_is_an_answer_and_a_run_that_cannot_start_an_error(app: Project) -> None:
    app.write("src/a", "bug\n")

    async def say(client: Client) -> Any:
        failed = await client.call_tool("run_job", {"job": "verify"})
        refused = await client.call_tool("run_job", {"job": "verify", "params": {"no": "1"}})
        option = await client.call_tool("run_job", {"job": "--force"})
        return failed, refused, option

    failed, refused, option = talk(app, say, "--allow-run")
    assert not failed.is_error
    assert failed.structured_content["record"]["status"] == "failed"
    assert refused.is_error
    assert "PIPEC_UNKNOWN_PARAM" in refused.content[0].text
    assert option.is_error
    assert len(read_records(app.folder)) == 1


BLOCKING = """
name = "app"
[tasks.wait]
run = "echo $$ > pid; while ! test -e go; do sleep 0.02; done"
"""


async def appears(path: Path) -> None:
    """Waits until a file is there and holds something."""
    file = anyio.Path(path)
    while not (await file.exists() and await file.read_text()):  # noqa: ASYNC110 - no event tells
        await anyio.sleep(0.01)


def test_other_calls_are_answered_while_a_job_runs(app: Project) -> None:
    app.write("pipeline.toml", BLOCKING)

    async def say(client: Client) -> Any:
        results: list[Any] = []

        async def run() -> None:
            results.append(await client.call_tool("run_job", {"job": "wait"}))

        async with anyio.create_task_group() as group:
            group.start_soon(run)
            await appears(app.folder / "pid")
            listed = await client.call_tool("list_runs", {})
            app.write("go", "1")
        return listed, results[0]

    listed, result = talk(app, say, "--allow-run")
    assert [run["status"] for run in listed.structured_content["runs"]] == ["running"]
    assert result.structured_content["record"]["status"] == "passed"


@pytest.mark.parametrize("how", ["cancelled", "closed"])
def test_no_task_outlives_its_call(app: Project, how: str) -> None:
    app.write("pipeline.toml", BLOCKING)

    async def say(client: Client) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "run_job", {"job": "wait"})
            await appears(app.folder / "pid")
            group.cancel_scope.cancel()
        if how == "cancelled":
            # The server is still there, and says how the run ended.
            while True:
                listed = await client.call_tool("list_runs", {})
                (run,) = listed.structured_content["runs"]
                if run["status"] != "running":
                    break
                await anyio.sleep(0.02)

    talk(app, say, "--allow-run")
    pid = int(app.read("pid"))
    assert not Path(f"/proc/{pid}").exists() or "zombie" in Path(f"/proc/{pid}/status").read_text()
    (record,) = read_records(app.folder)
    assert record["status"] == "interrupted"


def test_without_the_extra_one_line_says_what_to_install(app: Project) -> None:
    app.write("without/mcp/__init__.py", "raise ImportError('not installed')\n")
    result = app.pipec("mcp", env={"PYTHONPATH": str(app.folder / "without")})
    assert result.stderr == (
        "error[PIPEC_MISSING_EXTRA]: serving MCP needs its SDK: "
        "`pip install 'pipec[mcp]'` installs it\n"
        "help: pipec explain PIPEC_MISSING_EXTRA\n"
    )
    assert result.status == 2
