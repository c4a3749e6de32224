"""`pipec runs`: the records of runs."""

import json
import os
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pipec.cli.documents import ListedRun, RunsDocument, print_document
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.records import find_record, outcome
from pipec.cli.report.words import plural
from pipec.runtime.durations import spell_duration
from pipec.runtime.lock import active_holder
from pipec.runtime.records import newest_records, run_folder
from pipec.runtime.visible import visible

app = command_app(help="Look at the records of runs.")


@app.command(name="ls", epilog=examples("pipec runs ls", "pipec runs ls --format json"))
def list_runs(context: typer.Context, *, format: Format = "text") -> None:  # noqa: A002
    """List the recorded runs, the newest first."""
    invocation = invocation_of(context)
    root = invocation.find().root
    holder = active_holder(root)
    active = holder.run_id if holder else ""
    records = newest_records(root)
    document = RunsDocument(runs=tuple(describe(record, active=active) for record in records))
    if format == "json":
        print_document(invocation.console, document)
        return
    if not document.runs:
        invocation.console.say("no run is recorded yet")
    for run in document.runs:
        duration = "" if run.duration_ms is None else f" in {spell_duration(run.duration_ms)}"
        targets = visible(" ".join(run.targets))
        invocation.console.data(
            f"{run.id}  {run.status:<11}  {targets}: {plural(run.tasks, 'task')}{duration}\n"
        )


@app.command(
    epilog=examples("pipec runs show", "pipec runs show latest --format json"),
)
def show(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="The id of a run, or its beginning.")
    ] = "latest",
    *,
    format: Format = "text",  # noqa: A002
) -> None:
    """Show one run: the newest one, unless another is named."""
    invocation = invocation_of(context)
    root = invocation.find().root
    record = find_record(root, run)
    if format == "json":
        invocation.console.data(json.dumps(record, ensure_ascii=False, indent=2) + "\n")
        return
    folder = os.path.relpath(run_folder(root, record["run_id"]), invocation.cwd)
    invocation.console.data(render(record, visible(folder)))


def describe(record: Mapping[str, Any], *, active: str) -> ListedRun:
    """A record in a few words. `active` is the run that is under way."""
    # Nobody is left to close the record of a run whose process was killed.
    is_crashed = record["status"] == "running" and record["run_id"] != active
    return ListedRun(
        id=record["run_id"],
        status="interrupted" if is_crashed else record["status"],
        started_at=record["started_at"],
        targets=tuple(record["request"]["targets"]),
        tasks=len(record["tasks"]),
        duration_ms=record.get("duration_ms"),
    )


def render(record: Mapping[str, Any], folder: str) -> str:
    """The run, then its tasks, one a line."""
    reason = f" ({record['reason']})" if record.get("reason") else ""
    lines = [
        f"run      {record['run_id']}",
        f"status   {record['status']}{reason}",
        f"targets  {visible(' '.join(record['request']['targets']))}",
        f"started  {record['started_at']}",
    ]
    if "duration_ms" in record:
        lines.append(f"took     {spell_duration(record['duration_ms'])}")
    lines += [f"record   {folder}", ""]
    width = max((len(task["id"]) for task in record["tasks"]), default=0)
    for task in record["tasks"]:
        duration = spell_duration(task["duration_ms"]) if "duration_ms" in task else ""
        line = f"{task['status']:<9}  {task['id']:<{width}}  {duration:>7}  {outcome(task)}"
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"
