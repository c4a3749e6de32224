"""A local-first pipeline tool. What is public is named here, and imported when it is asked for."""

# As in `typing`, without importing it: type checkers know the name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from pipec._core import VERSION as __version__  # noqa: N811
    from pipec.api.command_line import CliResult, run_cli
    from pipec.api.loading import load
    from pipec.api.running import RunSettings, arun_job, arun_task, run_job, run_task
    from pipec.clock import Clock, SystemClock
    from pipec.codes import Code
    from pipec.diagnostics import Finding, Label
    from pipec.errors import (
        BugError,
        DriftError,
        PipecError,
        PlanError,
        RunError,
        SpecError,
    )
    from pipec.ir import Job, Pipeline, Task
    from pipec.plan.select import Plan, select
    from pipec.ports.agent import Agent, Question
    from pipec.ports.executor import Command, Executor, Exit
    from pipec.ports.store import Store
    from pipec.runtime.events import Event, Listener
    from pipec.runtime.record import RunRecord, TaskRecord
    from pipec.steps.context import Context
    from pipec.steps.shell import sh

__all__ = [
    "Agent",
    "BugError",
    "CliResult",
    "Clock",
    "Code",
    "Command",
    "Context",
    "DriftError",
    "Event",
    "Executor",
    "Exit",
    "Finding",
    "Job",
    "Label",
    "Listener",
    "PipecError",
    "Pipeline",
    "Plan",
    "PlanError",
    "Question",
    "RunError",
    "RunRecord",
    "RunSettings",
    "SpecError",
    "Store",
    "SystemClock",
    "Task",
    "TaskRecord",
    "__version__",
    "arun_job",
    "arun_task",
    "load",
    "run_cli",
    "run_job",
    "run_task",
    "select",
    "sh",
]

_HOMES = {
    "pipec.api.command_line": ("CliResult", "run_cli"),
    "pipec.api.loading": ("load",),
    "pipec.api.running": ("RunSettings", "arun_job", "arun_task", "run_job", "run_task"),
    "pipec.clock": ("Clock", "SystemClock"),
    "pipec.codes": ("Code",),
    "pipec.diagnostics": ("Finding", "Label"),
    "pipec.errors": ("BugError", "DriftError", "PipecError", "PlanError", "RunError", "SpecError"),
    "pipec.ir": ("Job", "Pipeline", "Task"),
    "pipec.plan.select": ("Plan", "select"),
    "pipec.ports.agent": ("Agent", "Question"),
    "pipec.ports.executor": ("Command", "Executor", "Exit"),
    "pipec.ports.store": ("Store",),
    "pipec.runtime.events": ("Event", "Listener"),
    "pipec.runtime.record": ("RunRecord", "TaskRecord"),
    "pipec.steps.context": ("Context",),
    "pipec.steps.shell": ("sh",),
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "__version__":
        return import_module("pipec._core").VERSION
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module `pipec` has no attribute `{name}`")


def __dir__() -> list[str]:
    return __all__
