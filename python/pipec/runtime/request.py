"""What a run is asked to do, and what it is given to do it with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipec import _core
from pipec.clock import Clock, SystemClock
from pipec.ir.pipeline import Pipeline
from pipec.plan.select import Plan
from pipec.runtime.events import Listener
from pipec.runtime.record import ContinueMode

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from pipec.ports.agent import Agent
    from pipec.ports.executor import Executor
    from pipec.ports.store import Store
    from pipec.runtime.found import Found
    from pipec.runtime.screen import Screen
    from pipec.runtime.stop import Stop

KEEP_RUNS = 50
MAX_LOG_BYTES = 8 * 1024 * 1024

OpenEngine = Callable[[str, bytes, str], "_core.Engine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One request to run a plan.

    `root` is the pipeline's folder, absolute. `pipeline_bytes` are the canonical bytes of
    `pipeline`. `concurrency` is how many tasks may run at once. `host_env` is the whole
    environment of the host. `params` are the checked parameters of the plan's jobs. `arguments` is
    what was appended to the commands of the targets, and is in `pipeline` already; `filters` have
    chosen the plan's targets. `continue_mode`: what still starts after a failure: nothing, what
    does not depend on it, or everything. `timeout_ms`: how long the run may take; `time_limit`
    names who says so. `wait`: when another run is active, wait for it. `keep_runs`: how many
    records stay, 0 for all. `max_log_bytes`: of each task's log, 0 for no limit. `replay_logs`:
    hits give their stored log as output. `kill_grace_ms`: how long a process has between TERM and
    KILL. `platform`: such as `linux-x86_64`. `passed` and `failed`: what became of tasks a moment
    ago, in a watch, as the engine takes it. `found`: what was found out then, for who only looks.
    """

    root: str
    pipeline: Pipeline
    pipeline_bytes: bytes
    plan: Plan
    platform: str
    host_env: Mapping[str, str]
    concurrency: int = 1
    force: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    continue_mode: ContinueMode = "never"
    timeout_ms: int | None = None
    time_limit: str = "the run"
    wait: bool = False
    keep_runs: int = KEEP_RUNS
    max_log_bytes: int = MAX_LOG_BYTES
    replay_logs: bool = False
    kill_grace_ms: int = 5000
    passed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    found: "Found | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a run uses of the world.

    `handle_signals`: SIGINT, SIGTERM and SIGHUP end the run in order; needs the main thread.
    `screen` is that of the listener that has one. `begun` is the run as far as the core
    got with it by itself: the lock, and the engine. `executor` runs the commands of steps, instead
    of processes of this machine; `agent` answers agent steps, instead of the commands of profiles.
    `store` stands behind the project's own. `stop` ends the run from another thread.
    `open_loop` makes the event loop, for a clock that brings its own.
    """

    clock: Clock = field(default_factory=SystemClock)
    listeners: tuple[Listener, ...] = ()
    screen: "Screen | None" = None
    open_engine: OpenEngine = field(default_factory=lambda: _core.Engine)
    handle_signals: bool = True
    begun: "_core.HandOver | None" = None
    executor: "Executor | None" = None
    agent: "Agent | None" = None
    store: "Store | None" = None
    stop: "Stop | None" = None
    open_loop: "Callable[[], AbstractEventLoop] | None" = None
