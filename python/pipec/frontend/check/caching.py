"""Rules on cached tasks that may not mean what they say: warnings."""

from collections.abc import Iterator

from pipec.codes import Code
from pipec.diagnostics import Addition, Finding, Label
from pipec.frontend.check.checked import Checked


def cache_without_inputs(checked: Checked) -> Iterator[Finding]:
    """A cached task has nothing that could make it run again; `inputs = []` says: so be it."""
    for task, origin in checked.all_written:
        decides = task.inputs or task.structured_inputs or task.env_inputs or task.depends_on
        if task.cache is not None and not decides and "inputs" not in origin.written:
            yield Finding(
                Code.CACHE_WITHOUT_INPUTS,
                f"the cached task `{task.id}` has no inputs: no file makes it run again",
                (Label(origin.of("cache"), at="key"),),
                ("name the files it reads in `inputs`, or say `inputs = []` if there are none",),
                severity="warning",
                addition=Addition(origin.route, "inputs"),
            )


def cache_without_outputs(checked: Checked) -> Iterator[Finding]:
    """A cached task owns nothing to restore. `outputs = []` says that passing is all it gives."""
    for task, origin in checked.all_written:
        if task.cache is not None and not task.outputs and "outputs" not in origin.written:
            yield Finding(
                Code.CACHE_WITHOUT_OUTPUTS,
                f"the cached task `{task.id}` has no outputs: a hit restores no file",
                (Label(origin.of("cache"), at="key"),),
                ("name the files it makes in `outputs`, or say `outputs = []` if there are none",),
                severity="warning",
                addition=Addition(origin.route, "outputs"),
            )
