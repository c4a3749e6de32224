"""A task: a node with inputs, outputs and steps. Every default is filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NewType

from pipec.ir.cache import TaskCache
from pipec.ir.env import EnvValue
from pipec.ir.inputs import InputRules, OutputPattern, StructuredInput
from pipec.ir.service import Service
from pipec.ir.step import Step

TaskId = NewType("TaskId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """`attempts` in total; before attempt n+1 waits `delay_ms * backoff ** (n - 1)`."""

    attempts: int = 1
    delay_ms: int = 0
    backoff: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What must be there before the first step: programs on PATH, secrets, a runtime."""

    tools: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    runtime: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task. `cache` None: never cached. `depends_on` is sorted and holds no task twice.

    `service`: it has one step, which is kept running as long as a task that depends on it needs it.
    `foreign_needs` are the references to tasks of members and sources, as written and sorted.
    """

    id: TaskId
    description: str = ""
    depends_on: tuple[TaskId, ...] = ()
    foreign_needs: tuple[str, ...] = ()
    inputs: InputRules = ()
    structured_inputs: tuple[StructuredInput, ...] = ()
    inputs_gitignore: bool = True
    outputs: tuple[OutputPattern, ...] = ()
    cache: TaskCache | None = None
    env: Mapping[str, EnvValue] = field(default_factory=dict)
    env_inputs: tuple[str, ...] = ()
    env_mode: Literal["loose", "strict"] = "loose"
    cwd: str = ""
    shell: tuple[str, ...] = ("sh", "-e", "-c")
    retry: Retry = field(default_factory=Retry)
    timeout_ms: int | None = None
    requires: Requirements = field(default_factory=Requirements)
    steps: tuple[Step, ...] = ()
    pool: str = ""
    priority: int = 0
    allow_failure: bool = False
    interactive: bool = False
    service: Service | None = None
    platforms: tuple[str, ...] = ()
    platform_independent: bool = False
    matrix: Mapping[str, str] = field(default_factory=dict)
