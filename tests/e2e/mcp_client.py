"""A client of the official SDK that speaks with `pipec mcp`."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import mcp.client.stdio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.conftest import Project

# The SDK kills a server that does not end in time, and in the end lets go of one that seems to live
# on. On a busy machine that says nothing; each test has a time limit of its own.
mcp.client.stdio.PROCESS_TERMINATION_TIMEOUT = 60.0


@asynccontextmanager
async def connected(app: Project, *words: str) -> AsyncIterator[Client]:
    """A client of a server for this project."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "pipec", "mcp", *words],
        cwd=app.folder,
        env=app.environment,
    )
    async with Client(stdio_client(server)) as client:
        yield client
