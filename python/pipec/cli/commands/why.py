"""`pipec why`: why a task ran, or what would make it run."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pipec.cli.documents import ChangedComponent, ChangedFile, WhyDocument, print_document
from pipec.cli.invocation import Invocation
from pipec.cli.looking import look_at
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.patterns import deciding_patterns
from pipec.cli.records import find_task, read_verdict, verdict_words
from pipec.cli.trouble import reading_inputs
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import TaskId
from pipec.plan.select import select
from pipec.runtime.visible import visible

app = command_app()


@app.command(
    epilog=examples(
        "pipec why build                why it ran, or did not, when it was last asked for",
        "pipec why build --run latest   the same, in one certain run",
        "pipec why build --now          what would make it run now",
    )
)
def why(
    context: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK", help="The task.")],
    *,
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="A run: its id, its beginning, or `latest`.")
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Look at the files as they are now, not at a run.")
    ] = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Say why a task ran, or why it did not.

    Names the part of its key that changed, the files, and the patterns that make them inputs.
    Without a recorded run it says what differs from the last success.
    """
    invocation = invocation_of(context)
    found, pipeline = invocation.load()
    target = select(pipeline, [task], kind="task").targets[0]
    recorded = None if now else find_task(found.root, target, run)
    if recorded is None:
        document = look_now(invocation, target)
    else:
        document = explain_record(pipeline, target, *recorded)
    if format == "json":
        print_document(invocation.console, document)
    else:
        invocation.console.data(render(document))


def explain_record(
    pipeline: Pipeline, task: TaskId, run_id: str, recorded: Mapping[str, Any]
) -> WhyDocument:
    """What a run noted about the task, with the pattern behind each file."""
    verdict = read_verdict(recorded)
    changed = (verdict.changed or ()) if verdict else ()
    paths = [change.path for change in changed]
    patterns = deciding_patterns(pipeline, pipeline.tasks[task], paths)
    return WhyDocument(
        task=task,
        run_id=run_id,
        status=recorded["status"],
        verdict=verdict,
        reason=recorded.get("reason") or recorded.get("error", {}).get("message"),
        components=(),
        files=tuple(
            ChangedFile(path=file.path, change=file.change, rule=patterns.get(file.path, ""))
            for file in changed
        ),
    )


def look_now(invocation: Invocation, task: TaskId) -> WhyDocument:
    """What differs now from the task's last success."""
    look = look_at(invocation, task)
    with reading_inputs():
        diff = json.loads(look.engine.diff_inputs(task, json.dumps(look.extras.get(task, []))))
    return WhyDocument(
        task=task,
        reason=None if diff["baseline"] else "it has not passed yet, as far as the cache knows",
        components=tuple(
            ChangedComponent(name=name, before=before or "", now=now or "")
            for name, before, now in diff["components"]
        ),
        files=tuple(
            ChangedFile(path=file["path"], change=file["change"], rule=file.get("rule") or "")
            for file in diff["files"]
        ),
    )


def render(document: WhyDocument) -> str:
    """The answer, then the files with their patterns, then the other parts of the key."""
    if document.run_id is not None:
        lines = [f"{document.task} {document.status} in run {document.run_id}"]
        if document.verdict:
            lines.append(f"  {visible(verdict_words(document.verdict))}")
        if document.reason:
            lines.append(f"  {visible(document.reason)}")
    elif document.reason:
        lines = [f"{document.task} would run: {document.reason}"]
    elif document.components or document.files:
        lines = [f"{document.task} would run: its inputs are not those of its last success"]
    else:
        lines = [f"{document.task} is as it was when it last passed"]
    width = max((len(visible(file.path)) for file in document.files), default=0)
    for file in document.files:
        rule = f"  by {visible(file.rule)}" if file.rule else ""
        lines.append(f"  {visible(file.path):<{width}}  {file.change}{rule}")
    lines += [
        f"  {component.name} changed"
        for component in document.components
        if component.name != "inputs" or not document.files
    ]
    return "\n".join(lines) + "\n"
