"""`pipec runs`: the records of runs."""

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from pipec.cli.documents import RunsDocument, print_document
from pipec.cli.exports import EXPORTS, export_run, send_run
from pipec.cli.options import UsageError
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.records import find_record, list_records, task_in
from pipec.cli.report.runs import render_run
from pipec.cli.report.words import plural
from pipec.codes import Code
from pipec.errors import PlanError, RunError
from pipec.runtime.durations import spell_duration
from pipec.runtime.records import SUMMARY, run_folder
from pipec.runtime.visible import visible

app = command_app(help="Look at the records of runs; without a command, list them.")

Run = Annotated[str, typer.Argument(metavar="[RUN]", help="The id of a run, or its beginning.")]


@app.callback(invoke_without_command=True)
def list_unless_told(context: typer.Context) -> None:
    """Look at the records of runs; without a command, list them."""
    if context.invoked_subcommand is None:
        list_runs(context)


@app.command(name="ls", epilog=examples("pipec runs ls", "pipec runs ls --format json"))
def list_runs(context: typer.Context, *, format: Format = "text") -> None:  # noqa: A002
    """List the recorded runs, the newest first."""
    invocation = invocation_of(context)
    document = RunsDocument(runs=list_records(invocation.find().root))
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
def show(context: typer.Context, run: Run = "latest", *, format: Format = "text") -> None:  # noqa: A002
    """Show one run: the newest one, unless another is named."""
    invocation = invocation_of(context)
    root = invocation.find().root
    record = find_record(root, run)
    if format == "json":
        invocation.console.data(json.dumps(record, ensure_ascii=False, indent=2) + "\n")
        return
    folder = os.path.relpath(run_folder(root, record["run_id"]), invocation.cwd)
    invocation.console.data(render_run(record, visible(folder)))


@app.command(
    name="open",
    epilog=examples(
        "pipec runs open                the summary of the newest run",
        "pipec runs open --task test    the log of a task",
        "less $(pipec runs open)        off a terminal it prints where the file is",
    ),
)
def open_run(
    context: typer.Context,
    run: Run = "latest",
    *,
    task: Annotated[
        str | None, typer.Option(metavar="TASK", help="The log of this task instead.")
    ] = None,
) -> int:
    """Open the summary of a run, or the log of a task, in the pager.

    The pager is `PIPEC_PAGER`, else `PAGER`, else `less`. Off a terminal the path is printed.
    """
    invocation = invocation_of(context)
    root = invocation.find().root
    record = find_record(root, run)
    name = SUMMARY if task is None else task_in(record, task).get("log")
    if name is None:
        raise PlanError(
            Code.UNKNOWN_RUN,
            f"`{task}` has no log in run `{record['run_id']}`",
            help=_why_no_log(str(task), task_in(record, str(task))),
        )
    path = os.path.join(run_folder(root, record["run_id"]), name)
    if not os.path.isfile(path):
        raise PlanError(Code.UNKNOWN_RUN, f"the record of run `{record['run_id']}` has no `{name}`")
    if not invocation.console.out.isatty():
        invocation.console.data(f"{path}\n")
        return 0
    environ = invocation.environ
    from pipec.cli.settings import pager

    command = shlex.split(str(pager(environ).value))
    invocation.console.flush()
    try:
        # `-R`: a log may hold the colours of a program, and nothing else that a terminal obeys.
        settings = {**environ, "LESS": environ.get("LESS", "FRX")}
        return subprocess.run([*command, path], env=settings, check=False).returncode  # noqa: S603
    except OSError as error:
        message = f"`{visible(command[0])}` cannot be started: {error.strerror}"
        help_ = ("`PIPEC_PAGER` names another pager",)
        raise RunError(Code.STEP_NOT_STARTED, message, help=help_) from error


def _why_no_log(task: str, recorded: Mapping[str, Any]) -> tuple[str, ...]:
    """What to type instead, or why there is nothing to see."""
    match recorded["status"]:
        case "cached":
            return (f"`pipec run-task {task} --output-logs full` prints the log of a hit",)
        case "skipped" | "waiting":
            return ("it did not run: `pipec runs show` says why",)
        case _:
            return ("it printed nothing",)


@app.command(
    epilog=examples(
        "pipec runs export > trace.json                 for Perfetto or chrome://tracing",
        "pipec runs export --format junit --out report.xml",
        "pipec runs export --format otlp --to http://localhost:4318",
    )
)
def export(
    context: typer.Context,
    run: Run = "latest",
    *,
    format: Annotated[  # noqa: A002
        Literal["trace", "junit", "otlp", "graph", "context"],
        typer.Option(
            "--format",
            help="A Chrome trace; a JUnit report; OpenTelemetry; what waited for what; "
            "the context of what failed.",
        ),
    ] = "trace",
    out: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write it to this file instead.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where a collector of OpenTelemetry takes OTLP over HTTP; "
            "`OTEL_EXPORTER_OTLP_ENDPOINT` if left out.",
        ),
    ] = None,
) -> None:
    """Give a run in a form that other tools read.

    OpenTelemetry is sent and needs the extra `otel`; the others are printed.
    """
    invocation = invocation_of(context)
    root = invocation.find().root
    record = find_record(root, run)
    if format == "otlp":
        if out is not None:
            raise UsageError(
                "`--format otlp` is sent, not written", help=("`--to URL` says where",)
            )
        spans, where = send_run(invocation, root, record, to)
        invocation.console.say(f"sent {plural(spans, 'span')} to {visible(where)}")
        return
    if to is not None:
        raise UsageError("`--to` is for `--format otlp`", help=("`--out PATH` writes a file",))
    assert format in EXPORTS
    text = export_run(root, record, format)
    if out is None:
        invocation.console.data(text)
        return
    try:
        with open(os.path.join(invocation.cwd, out), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        message = f"cannot write `{visible(out)}`: {error.strerror}"
        help_ = ("`--out PATH` wants a file in a folder that is there and may be written to",)
        raise RunError(Code.STATE_UNWRITABLE, message, help=help_) from error
    invocation.console.say(f"wrote {visible(out)}")
