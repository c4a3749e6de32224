"""`pipec affected`: which tasks a change concerns."""

from typing import Annotated, Literal

import typer

from pipec.cli.affected import affected_tasks
from pipec.cli.documents import (
    AffectedDocument,
    AffectedReason,
    AffectedTask,
    print_document,
)
from pipec.cli.git import Repository
from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.cli.report.words import plural
from pipec.cli.revisions import compile_side, sides_of
from pipec.plan.diff import diff
from pipec.plan.select import reachable
from pipec.runtime.visible import visible

app = command_app()


@app.command(
    epilog=examples(
        "pipec affected                 by what is not committed",
        "pipec affected origin/main...HEAD    by what a branch changes",
        "pipec run $(pipec affected main --format names)",
    )
)
def affected(
    context: typer.Context,
    revisions: Annotated[
        str | None,
        typer.Argument(
            metavar="[REV|A..B]",
            help="What changed since this revision, or from one to the other. [default: HEAD]",
        ),
    ] = None,
    *,
    format: Annotated[  # noqa: A002
        Literal["text", "json", "names"],
        typer.Option("--format", help="For people, for programs, ids of tasks line by line."),
    ] = "text",
) -> None:
    """Say which tasks a change concerns, and why. Asks git; runs no task and reads no cache.

    A task is affected by a file that is one of its inputs, by its own definition, and by a task
    that it depends on. `pipec plan` knows more: it compares contents with the last results.
    """
    invocation = invocation_of(context)
    found, pipeline = invocation.load()
    repository = Repository.open(found.root, invocation.environ)
    before, after = sides_of(revisions, repository)
    assert before.commit is not None
    _, old = compile_side(before, found, repository)
    if after.commit is not None:
        _, pipeline = compile_side(after, found, repository)
    changed = repository.changed_below(before.commit, after.commit)
    tasks = affected_tasks(found.root, pipeline, changed, diff(old, pipeline))
    names = {task.id for task in tasks}
    document = AffectedDocument(
        before=before.commit,
        after=after.commit,
        changed=changed,
        tasks=tasks,
        jobs=tuple(
            job.id
            for job in pipeline.jobs.values()
            if not names.isdisjoint(reachable(pipeline, job.targets))
        ),
    )
    if format == "json":
        print_document(invocation.console, document)
    elif format == "names":
        invocation.console.data("".join(f"{task.id}\n" for task in tasks))
    else:
        invocation.console.data(render(document, of=len(pipeline.tasks)))


def render(document: AffectedDocument, *, of: int) -> str:
    """A line for each task, then how many of how many they are."""
    width = max((len(task.id) for task in document.tasks), default=0)
    lines = [f"{task.id:<{width}}  {visible(_why(task))}" for task in document.tasks]
    files = plural(len(document.changed), "changed file")
    lines.append(f"{len(document.tasks)} of {plural(of, 'task')} affected by {files}")
    if document.jobs:
        lines.append(f"jobs: {', '.join(document.jobs)}")
    return "\n".join(lines) + "\n"


def _why(task: AffectedTask) -> str:
    more = f" (+{len(task.reasons) - 1} more)" if len(task.reasons) > 1 else ""
    return f"{_words(task.reasons[0])}{more}"


def _words(reason: AffectedReason) -> str:
    match reason.kind:
        case "file":
            return f"{reason.path}" + (f"  by {reason.pattern}" if reason.pattern else "")
        case "definition":
            what = "new" if reason.components is None else ", ".join(reason.components)
            return f"definition: {what}"
        case "dependency":
            return f"depends on {reason.task}"
