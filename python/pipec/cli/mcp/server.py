"""The server: lists tools, checks what a call brings, answers, and turns errors into answers."""

import json
from collections.abc import Callable
from typing import Any

import anyio
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import (
    Tool as ToolDescription,
)
from pydantic import ValidationError

from pipec import _core
from pipec.cli.invocation import Invocation
from pipec.cli.masking import redaction_of_project
from pipec.cli.mcp.looking import LOOKING
from pipec.cli.mcp.records import RECORDS
from pipec.cli.mcp.running import RUNNING
from pipec.cli.mcp.tool import Call, Tool
from pipec.cli.report.errors import render_error
from pipec.codes import Code
from pipec.errors import PipecError
from pipec.runtime.record import to_json

TOOLS = (*LOOKING, *RECORDS, *RUNNING)
"""Every tool, in the order in which they are listed."""

INSTRUCTIONS = """\
pipec runs the tasks of this project, only those whose inputs changed, and says why.
Begin with list_tasks. After a failure, read_run with run=latest has the error, the end of the log,
what changed, and the command that reproduces it. `why` explains why a task ran.
"""

_Context = ServerRequestContext[dict[str, Any], Any]


def serve(open_project: Callable[[], Invocation], *, allow_run: bool) -> None:
    """Serves on standard input and output until the client closes them.

    `open_project` is called for each call: a pipeline that changed is read anew.
    """
    anyio.run(_serve, open_project, allow_run)


async def _serve(open_project: Callable[[], Invocation], allow_run: bool) -> None:  # noqa: FBT001
    tools = {tool.name: tool for tool in TOOLS if allow_run or not tool.runs}

    async def list_tools(_: _Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_describe(tool) for tool in tools.values()])

    async def call_tool(context: _Context, params: CallToolRequestParams) -> CallToolResult:
        tool = tools.get(params.name)
        if tool is None:
            return _refusal(Code.USAGE, f"there is no tool `{params.name}`")

        async def tell(done: int, total: int, message: str) -> None:
            await context.session.report_progress(done, total, message)

        try:
            arguments = tool.arguments.model_validate(params.arguments or {})
        except ValidationError as error:
            return _refusal(Code.USAGE, _what_is_wrong(tool, error))
        invocation = open_project()
        try:
            call = Call(invocation=invocation, arguments=arguments, progress=tell)
            return _answer(await _carry_out(tool, call))
        except PipecError as error:
            # What a client asked for stands in the message.
            redaction = redaction_of_project(invocation)
            return _refusal(error.code, redaction.text(render_error(error, color=False)))

    server = Server(
        "pipec",
        version=_core.VERSION,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


async def _carry_out(tool: Tool, call: Call) -> Any:
    if tool.work is not None:
        return await tool.work(call)
    assert tool.look is not None
    return await anyio.to_thread.run_sync(tool.look, call)


def _describe(tool: Tool) -> ToolDescription:
    return ToolDescription(
        name=tool.name,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        annotations=ToolAnnotations(
            read_only_hint=not tool.runs, destructive_hint=tool.runs, open_world_hint=tool.runs
        ),
    )


def _answer(value: Any) -> CallToolResult:
    data = to_json(value)
    text = json.dumps(data, ensure_ascii=False)
    return CallToolResult(
        content=[TextContent(type="text", text=text)], structured_content=json.loads(text)
    )


def _refusal(code: Code, message: str) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=message)],
        structured_content={"error": {"code": code.value, "message": message}},
        is_error=True,
    )


def _what_is_wrong(tool: Tool, error: ValidationError) -> str:
    """Every argument that is wrong, without its value."""
    problems = [
        f"`{'.'.join(map(str, problem['loc']))}`: {problem['msg']}" for problem in error.errors()
    ]
    return f"`{tool.name}` cannot be called like this: {'; '.join(problems)}"
