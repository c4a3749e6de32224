"""Puts into the pipeline file what an audit found missing, and sees to it that it still is one."""

from collections.abc import Sequence
from dataclasses import replace

from pipec.audit.findings import AuditFinding
from pipec.cli.commands.fmt import replace_file
from pipec.cli.invocation import Invocation
from pipec.codes import Code
from pipec.errors import PipecError, PlanError
from pipec.frontend.load import load_document
from pipec.frontend.read import read_bytes, read_text
from pipec.ir.task import Task


def fix_declaration(
    invocation: Invocation, task: Task, findings: Sequence[AuditFinding]
) -> tuple[str, ...]:
    """Adds what can be declared; gives each addition as `inputs: src/a`.

    Raises:
        PipecError: the extra `edit` is not installed.
        PlanError: the file is YAML, or says where the task is in a way that is not known.
        RunError: the file cannot be written.
    """
    try:
        from pipec.audit.declare import declare
    except ImportError:
        message = "editing a file needs tomlkit: `pip install 'pipec[edit]'` installs it"
        raise PipecError(Code.MISSING_EXTRA, message) from None
    found = invocation.find()
    document = read_text(found, read_bytes(found))
    if document.notation != "toml":
        raise PlanError(
            Code.NOT_SUPPORTED,
            f"`{found.shown}` is YAML, whose comments would not survive an edit",
            help=("add the patterns by hand",),
        )
    loaded = load_document(document)
    origin = loaded.origins[task.id]
    for field in {finding.field for finding in findings if finding.field in origin.inherited}:
        raise PlanError(
            Code.NOT_SUPPORTED,
            f"`{field}` of `{task.id}` comes from `task-defaults`, where other tasks have it too",
            help=("add the patterns by hand",),
        )
    try:
        text = declare(document.text, origin.route, findings)
    except (KeyError, IndexError, TypeError):
        message = f"the definition of `{task.id}` could not be found in `{found.shown}`"
        raise PlanError(Code.NOT_SUPPORTED, message) from None
    # Whatever is wrong with what comes out, the file stays as it was.
    changed = load_document(replace(document, text=text)).pipeline.tasks[task.id]
    if text == document.text:
        return ()
    replace_file(found, text.encode())
    return tuple(_added(task, changed))


def _added(before: Task, after: Task) -> list[str]:
    added = [f"depends-on: {need}" for need in after.depends_on if need not in before.depends_on]
    for field in ("inputs", "outputs"):
        old = getattr(before, field)
        added += [f"{field}: {rule.glob}" for rule in getattr(after, field) if rule not in old]
    return added
