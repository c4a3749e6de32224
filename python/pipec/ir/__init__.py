"""The normalized pipeline: frozen, canonical JSON, one digest. Absent means default.

`codec.encode(pipeline)` gives the canonical bytes, `codec.decode(bytes)` the value back.
"""

from pipec.ir.cache import CacheSettings, TaskCache
from pipec.ir.codec import IR_VERSION, decode, digest, encode
from pipec.ir.env import EnvFile, EnvValue, Literal, Secret, Variable
from pipec.ir.inputs import (
    CommandInput,
    EnvInput,
    FileValueInput,
    NamedRule,
    OutputPattern,
    OutputsOfInput,
    Rule,
    StructuredInput,
)
from pipec.ir.job import GithubPages, GithubSettings, Job, JobEnvironment, Param
from pipec.ir.pipeline import Pipeline
from pipec.ir.service import ReadyCommand, ReadyHttp, ReadyOutput, ReadyPort, Service
from pipec.ir.step import AgentStep, ArgvStep, PythonStep, ShellStep, Step
from pipec.ir.sync import SyncSettings
from pipec.ir.sync_github import GithubSync, Install, Toolchain
from pipec.ir.sync_tasks import SyncTarget, SyncTasks
from pipec.ir.task import Requirements, Retry, Task
from pipec.ir.trigger import GithubEvents, Trigger

__all__ = [
    "IR_VERSION",
    "AgentStep",
    "ArgvStep",
    "CacheSettings",
    "CommandInput",
    "EnvFile",
    "EnvInput",
    "EnvValue",
    "FileValueInput",
    "GithubEvents",
    "GithubPages",
    "GithubSettings",
    "GithubSync",
    "Install",
    "Job",
    "JobEnvironment",
    "Literal",
    "NamedRule",
    "OutputPattern",
    "OutputsOfInput",
    "Param",
    "Pipeline",
    "PythonStep",
    "ReadyCommand",
    "ReadyHttp",
    "ReadyOutput",
    "ReadyPort",
    "Requirements",
    "Retry",
    "Rule",
    "Secret",
    "Service",
    "ShellStep",
    "Step",
    "StructuredInput",
    "SyncSettings",
    "SyncTarget",
    "SyncTasks",
    "Task",
    "TaskCache",
    "Toolchain",
    "Trigger",
    "Variable",
    "decode",
    "digest",
    "encode",
]
