"""`pipec matrix`: the tasks of a job, each for a machine of its own."""

import json
from typing import Annotated, Literal

import typer

from pipec.cli.documents import MatrixDocument, print_document
from pipec.cli.names import complete_jobs_and_tasks
from pipec.cli.options import UsageError
from pipec.cli.parameters import command_app, examples, invocation_of
from pipec.ir.pipeline import Pipeline
from pipec.plan.select import select
from pipec.runtime.record import to_json
from pipec.runtime.visible import visible

app = command_app()

_MOST = 256
"""Jobs that one matrix of GitHub Actions may have."""


@app.command(
    epilog=examples(
        "pipec matrix verify",
        'echo "matrix=$(pipec matrix verify --format github)" >>"$GITHUB_OUTPUT"',
        "pipec run-task '${{ matrix.task }}'    in the job with this matrix",
    )
)
def matrix(
    context: typer.Context,
    job: Annotated[
        str,
        typer.Argument(metavar="JOB", help="The job.", autocompletion=complete_jobs_and_tasks),
    ],
    *,
    format: Annotated[  # noqa: A002
        Literal["text", "json", "github"],
        typer.Option("--format", help="For people, for programs, for `fromJSON` on one line."),
    ] = "text",
) -> None:
    """Print what a job asks for as a matrix: an entry for each of its tasks. Runs nothing.

    Each entry names the task, and the values of the task's own matrix. What a task depends on
    runs with it, or comes from the cache.
    """
    invocation = invocation_of(context)
    _, pipeline = invocation.load()
    document = describe(pipeline, job)
    if format == "text":
        lines = (f"{visible(entry['task'])}\n" for entry in document.include)
        invocation.console.data("".join(lines))
        return
    if format == "json":
        print_document(invocation.console, document)
        return
    if len(document.include) > _MOST:
        raise UsageError(
            f"the job `{job}` has {len(document.include)} tasks, and a matrix of GitHub "
            f"takes {_MOST}",
            help=("split the job, or give it tasks that group others",),
        )
    # GitHub would take anything else for a variable.
    text = json.dumps({"include": to_json(document.include)}, ensure_ascii=False)
    invocation.console.data(f"{text}\n")


def describe(pipeline: Pipeline, job: str) -> MatrixDocument:
    """The matrix of a job.

    Raises:
        PlanError: there is no such job.
    """
    plan = select(pipeline, [job], kind="job")
    tasks = [pipeline.tasks[name] for name in plan.targets]
    return MatrixDocument(include=tuple({**task.matrix, "task": task.id} for task in tasks))
