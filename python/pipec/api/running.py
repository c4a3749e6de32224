"""Runs jobs and tasks of a loaded pipeline, in this process or beside an event loop."""

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypedDict, Unpack

from pipec.cli.concurrency import usable_cores
from pipec.cli.run import platform_name
from pipec.clock import Clock, SystemClock
from pipec.ir.codec import encode
from pipec.ir.commands import CommandPolicy
from pipec.ir.pipeline import Pipeline
from pipec.plan.params import bind_params
from pipec.plan.select import Plan, select
from pipec.ports.agent import Agent
from pipec.ports.executor import Executor
from pipec.ports.store import Store
from pipec.runtime.events import Listener
from pipec.runtime.record import RunRecord
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.run import run
from pipec.runtime.stop import Stop


class RunSettings(TypedDict, total=False):
    """How to run, by keyword; what is left out is as the command line has it.

    - `concurrency`: how many tasks may run at once; the usable cores if left out.
    - `force`: run every task, whatever the cache holds.
    - `wait`: if another run of the project is active, wait for its end instead of failing.
    - `cwd`: the folder of the project; the one that the pipeline was loaded from if left out, or
      the working directory for a pipeline that was not loaded.
    - `env`: the whole environment of the host; that of this process if left out.
    - `executor`: runs the commands of steps; processes of this machine if left out.
    - `agent`: answers agent steps; the commands of the pipeline's profiles if left out.
    - `store`: a store of results behind the project's own, asked when that has nothing.
    - `commands`: the policy on command lines, instead of the pipeline's.
    - `clock`: where the run's times come from; the machine's clock if left out.
    - `listeners`: called with each event as it happens, on the thread that runs.
    """

    concurrency: int
    force: bool
    wait: bool
    cwd: str | os.PathLike[str]
    env: Mapping[str, str]
    executor: Executor
    agent: Agent
    store: Store
    commands: CommandPolicy
    clock: Clock
    listeners: Sequence[Listener]


def run_job(
    pipeline: Pipeline,
    id: str,  # noqa: A002
    *,
    params: Mapping[str, str] | None = None,
    **settings: Unpack[RunSettings],
) -> RunRecord:
    """Runs a job with all that it needs, and gives the record, which is also kept below `.pipec`.

    A task that failed is no exception: the record says so, in `status` and `exit_code`. `params`
    are values of the job's parameters by name, `settings` are described at `RunSettings`. In the
    main thread SIGINT, SIGTERM and SIGHUP end the run in order, as on the command line.

    Raises:
        PlanError: there is no such job, or its parameters are not what it declares.
        SpecError: secrets, variables or env files are missing; nothing has run.
        PipecError: another run is active, the state folder cannot be written, or a task needs
            something that this version does not have.
        ValueError: `concurrency` is less than 1.
    """
    return _run(_job_request(pipeline, id, params or {}, settings), settings)


def run_task(
    pipeline: Pipeline,
    id: str,  # noqa: A002
    **settings: Unpack[RunSettings],
) -> RunRecord:
    """Runs a task with all that it depends on, as `run_job` runs a job.

    `id` may be the name of a task with a matrix: then all of its tasks run.

    Raises:
        PlanError: there is no such task.
        SpecError, PipecError, ValueError: as `run_job`.
    """
    return _run(_task_request(pipeline, id, settings), settings)


async def arun_job(
    pipeline: Pipeline,
    id: str,  # noqa: A002
    *,
    params: Mapping[str, str] | None = None,
    **settings: Unpack[RunSettings],
) -> RunRecord:
    """`run_job` beside a running event loop, on a thread of its own.

    A call that is cancelled interrupts the run, and ends when nothing of it is left. Signals are
    the caller's business. Listeners, executor and clock are called on the thread of the run.

    Raises:
        PlanError, SpecError, PipecError, ValueError: as `run_job`.
    """
    return await _run_beside(_job_request(pipeline, id, params or {}, settings), settings)


async def arun_task(
    pipeline: Pipeline,
    id: str,  # noqa: A002
    **settings: Unpack[RunSettings],
) -> RunRecord:
    """`run_task` beside a running event loop, as `arun_job` is to `run_job`.

    Raises:
        PlanError, SpecError, PipecError, ValueError: as `run_task`.
    """
    return await _run_beside(_task_request(pipeline, id, settings), settings)


def _run(request: RunRequest, settings: RunSettings) -> RunRecord:
    is_main = threading.current_thread() is threading.main_thread()
    return run(request, _services(settings, handle_signals=is_main))


async def _run_beside(request: RunRequest, settings: RunSettings) -> RunRecord:
    stop = Stop()
    services = replace(_services(settings, handle_signals=False), stop=stop)
    running = asyncio.ensure_future(asyncio.to_thread(run, request, services))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.request()
        # Whoever cancelled may rely on it that nothing goes on.
        await asyncio.wait([running])
        raise


def _job_request(
    pipeline: Pipeline, name: str, params: Mapping[str, str], settings: RunSettings
) -> RunRequest:
    plan = select(pipeline, [name], kind="job")
    return _request(pipeline, plan, bind_params(pipeline, plan, params), settings)


def _task_request(pipeline: Pipeline, name: str, settings: RunSettings) -> RunRequest:
    return _request(pipeline, select(pipeline, [name], kind="task"), {}, settings)


def _request(
    pipeline: Pipeline, plan: Plan, params: Mapping[str, str], settings: RunSettings
) -> RunRequest:
    concurrency = settings.get("concurrency", usable_cores())
    if concurrency < 1:
        raise ValueError(f"`concurrency` is at least 1, not {concurrency}")
    if "commands" in settings:
        pipeline = replace(pipeline, commands=settings["commands"])
    return RunRequest(
        root=os.path.abspath(settings.get("cwd") or pipeline.root or os.getcwd()),
        pipeline=pipeline,
        pipeline_bytes=encode(pipeline),
        plan=plan,
        platform=platform_name(),
        host_env=dict(settings.get("env", os.environ)),
        concurrency=concurrency,
        force=settings.get("force", False),
        params=params,
        wait=settings.get("wait", False),
    )


def _services(settings: RunSettings, *, handle_signals: bool) -> Services:
    clock = settings.get("clock", SystemClock())
    return Services(
        clock=clock,
        listeners=tuple(settings.get("listeners", ())),
        handle_signals=handle_signals,
        executor=settings.get("executor"),
        agent=settings.get("agent"),
        store=settings.get("store"),
        # A clock that moves only when told brings a loop that goes by it.
        open_loop=getattr(clock, "open_loop", None),
    )
