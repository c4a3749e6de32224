"""Rules on what the language has and this version does not do: nothing is ignored in silence.

What would change the outcome of a run is an error; what only adds something that is not there yet
is a warning.
"""

from collections.abc import Iterator

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.check.checked import Checked
from pipec.ir.step import AgentStep, PythonStep

_REFUSED = ("sources", "workspace", "commands", "depends")
_WITHOUT_EFFECT = (
    "sandboxes",
    "execution",
    "agents",
    "sync",
    "versions",
    "outputs",
    "schedule",
)
_STORES = frozenset({"file", "memory", "layered"})


def refused_sections(checked: Checked) -> Iterator[Finding]:
    """A section without which the pipeline would do something else than its author expects."""
    for key in _REFUSED:
        if key in checked.spec.model_fields_set:
            message = f"`{key}` is not supported yet"
            yield Finding(Code.NOT_SUPPORTED, message, (Label((key,), at="key"),))


def sections_without_effect(checked: Checked) -> Iterator[Finding]:
    """Sections, profiles and stores that nothing acts on."""
    for key in _WITHOUT_EFFECT:
        if key in checked.spec.model_fields_set:
            yield _warning(f"`{key}` is not supported yet: it has no effect", (key,), at_key=True)
    for name, job in checked.spec.jobs.items():
        if job.execution in (checked.spec.execution or {}):
            message = f"execution profiles are not supported yet: the job `{name}` will not run"
            yield _warning(message, ("jobs", name, "execution"))
    for name, store in checked.pipeline.cache.stores.items():
        kind = next(iter(store))
        if kind not in _STORES:
            message = (
                f"stores of the kind `{kind}` are not supported yet: nothing is kept in `{name}`"
            )
            yield _warning(message, ("cache", "stores", name, kind), at_key=True)


def steps_for_later(checked: Checked) -> Iterator[Finding]:
    """Steps that can be listed, and not run."""
    for task, origin in checked.written_tasks():
        for index, step in enumerate(task.steps):
            if isinstance(step, (AgentStep, PythonStep)):
                message = f"`{step.kind}` steps are not supported yet: `{task.id}` will not run"
                yield _warning(message, origin.of_step(index))


def _warning(message: str, route: Route, *, at_key: bool = False) -> Finding:
    label = Label(route, at="key" if at_key else "value")
    return Finding(Code.NOT_SUPPORTED, message, (label,), severity="warning")
