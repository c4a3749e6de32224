"""A local-first pipeline tool. What is public is named here, and imported when it is asked for."""

# As in `typing`, without importing it: type checkers know the name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from pipec._core import VERSION as __version__  # noqa: N811
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
    from pipec.runtime.record import RunRecord, TaskRecord
    from pipec.runtime.request import RunRequest, Services
    from pipec.runtime.run import run

__all__ = [
    "BugError",
    "Code",
    "DriftError",
    "Finding",
    "Job",
    "Label",
    "PipecError",
    "Pipeline",
    "Plan",
    "PlanError",
    "RunError",
    "RunRecord",
    "RunRequest",
    "Services",
    "SpecError",
    "Task",
    "TaskRecord",
    "__version__",
    "run",
    "select",
]

_HOMES = {
    "pipec.codes": ("Code",),
    "pipec.diagnostics": ("Finding", "Label"),
    "pipec.errors": ("BugError", "DriftError", "PipecError", "PlanError", "RunError", "SpecError"),
    "pipec.ir": ("Job", "Pipeline", "Task"),
    "pipec.plan.select": ("Plan", "select"),
    "pipec.runtime.record": ("RunRecord", "TaskRecord"),
    "pipec.runtime.request": ("RunRequest", "Services"),
    "pipec.runtime.run": ("run",),
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
