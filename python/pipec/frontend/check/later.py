"""Rules on what the language has and this version does not do: nothing is ignored in silence.

All of them are warnings: a run that would come out differently for it is refused when it is asked
for.
"""

from collections.abc import Iterator, Mapping

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.check.checked import Checked

_WITHOUT_EFFECT: Mapping[str, str] = {
    "sources": "tasks that need one of their tasks will not run",
    "workspace": "the tasks of its members will not run",
    "depends": "nothing here will run",
    "sandboxes": "it has no effect",
    "versions": "it has no effect",
    "outputs": "it has no effect",
    "schedule": "it has no effect",
}
_STORES = frozenset({"file", "memory", "layered"})


def sections_for_later(checked: Checked) -> Iterator[Finding]:
    """Sections that nothing acts on yet."""
    present = checked.sections()
    for key, consequence in _WITHOUT_EFFECT.items():
        if key in present:
            message = f"`{key}` is not supported yet: {consequence}"
            yield _warning(message, (key,), at_key=True)


def profiles_for_later(checked: Checked) -> Iterator[Finding]:
    """Jobs whose profile wants something else than this machine as it is."""
    for name, job in checked.spec.jobs.items():
        profile = checked.pipeline.execution.get(job.execution or "")
        if profile is not None and profile.is_confined:
            message = f"sandboxes are not supported yet: the job `{name}` will not run"
            yield _warning(message, ("jobs", name, "execution"))


def stores_for_later(checked: Checked) -> Iterator[Finding]:
    """Stores that nothing is kept in."""
    for name, store in checked.pipeline.cache.stores.items():
        kind = next(iter(store))
        if kind not in _STORES:
            message = (
                f"stores of the kind `{kind}` are not supported yet: nothing is kept in `{name}`"
            )
            yield _warning(message, ("cache", "stores", name, kind), at_key=True)


def _warning(message: str, route: Route, *, at_key: bool = False) -> Finding:
    label = Label(route, at="key" if at_key else "value")
    return Finding(Code.NOT_SUPPORTED, message, (label,), severity="warning")
