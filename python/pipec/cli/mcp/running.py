"""The tool that runs a job: a pipec of its own, so that it can be ended like one on a terminal."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any

import anyio
from pydantic import Field

from pipec.cli.mcp.tool import Arguments, Call, Name, Tool
from pipec.codes import Code
from pipec.errors import PlanError
from pipec.plan.select import select
from pipec.runtime.evidence.reading import read_plain

_GRACE_S = 15
_LINE = 16 * 1024 * 1024


class RunArguments(Arguments):
    """What to run."""

    job: Name = Field(description="The id of a job or of a task.")
    force: bool = Field(default=False, description="Run every task, whatever the cache holds.")
    params: dict[str, str] = Field(default_factory=dict, description="Parameters of the job.")


async def _run_job(call: Call) -> Any:
    found, pipeline = call.invocation.load()
    # Refused here, a name cannot be taken for an option.
    select(pipeline, [call.arguments.job])
    words = ["run", call.arguments.job, "--format", "jsonl"]
    words += ["--force"] if call.arguments.force else []
    for name, value in call.arguments.params.items():
        words += ["--param", f"{name}={value}"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pipec",
        "-f",
        found.path,
        *words,
        cwd=found.root,
        env=dict(call.invocation.environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        limit=_LINE,
        start_new_session=True,
    )
    assert process.stderr is not None
    complaints = asyncio.ensure_future(process.stderr.read())
    try:
        run_id = await _follow(process, call)
        said = (await complaints).decode("utf-8", "replace")
        await process.wait()
    except BaseException:
        # The client cancelled, or went away: the tasks must not outlive the call.
        with anyio.CancelScope(shield=True):
            await _end(process, complaints)
        raise
    record = read_plain(found.root, run_id) if run_id else None
    if record is None:
        raise PlanError(Code.USAGE, said.strip() or "the run could not be started")
    return {"schema_version": 1, "record": record}


async def _follow(process: Process, call: Call) -> str:
    """Passes on how many tasks have ended, and gives the id of the run."""
    assert process.stdout is not None
    run_id, total, done = "", 0, 0
    async for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "run_started":
            run_id, total = event["run_id"], len(event["tasks"])
            await call.progress(0, total, f"run {run_id} started")
        elif event["event"] == "task_started":
            await call.progress(done, total, f"{event['task']} started")
        elif event["event"] in ("task_finished", "task_skipped"):
            done += 1
            task = event["task"]
            await call.progress(done, total, f"{task['id']} {task['status']}")
    return run_id


async def _end(process: Process, complaints: asyncio.Future[bytes]) -> None:
    """Ends a run as an interrupt from the keyboard would; kills it if that takes too long."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    # What it still prints must not fill the pipes.
    rest = asyncio.gather(process.stdout.read(), complaints, process.wait())
    try:
        await asyncio.wait_for(rest, _GRACE_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


RUNNING = (
    Tool(
        name="run_job",
        description="Runs a job or a task and gives the record. Tells progress; a call that is "
        "cancelled interrupts the run.",
        arguments=RunArguments,
        work=_run_job,
        runs=True,
    ),
)
