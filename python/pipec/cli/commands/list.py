"""`pipec list`: every job and task."""

import typer

from pipec.cli.documents import ListDocument, ListedJob, ListedTask, print_document
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.ir.pipeline import Pipeline
from pipec.runtime.visible import visible

app = command_app()


@app.command(epilog=examples("pipec list", "pipec list --format json"))
def list_pipeline(context: typer.Context, *, format: Format = "text") -> None:  # noqa: A002
    """List the jobs and the tasks of the pipeline."""
    invocation = invocation_of(context)
    _, pipeline = invocation.load()
    document = describe(pipeline)
    if format == "json":
        print_document(invocation.console, document)
    else:
        invocation.console.data(render(document))


def describe(pipeline: Pipeline) -> ListDocument:
    """The pipeline's jobs and tasks in a few words."""
    return ListDocument(
        name=pipeline.name,
        description=pipeline.description or None,
        jobs=tuple(
            ListedJob(
                id=job.id,
                description=job.description or None,
                targets=job.targets,
                triggers=job.triggers,
                params=tuple(job.params),
            )
            for job in pipeline.jobs.values()
        ),
        tasks=tuple(
            ListedTask(
                id=task.id,
                description=task.description or None,
                depends_on=task.depends_on,
                is_cached=task.cache is not None,
            )
            for task in pipeline.tasks.values()
        ),
    )


def render(document: ListDocument) -> str:
    """Jobs, then tasks, one a line."""
    title = f"{document.name}: {document.description}" if document.description else document.name
    lines = [visible(title)]
    jobs = [(job.id, job.description or f"runs {', '.join(job.targets)}") for job in document.jobs]
    tasks = [(task.id, task.description or "") for task in document.tasks]
    width = max((len(name) for name, _ in [*jobs, *tasks]), default=0)
    for heading, rows in (("Jobs", jobs), ("Tasks", tasks)):
        if rows:
            lines += ["", heading]
            lines += [f"  {name:<{width}}  {visible(text)}".rstrip() for name, text in rows]
    return "\n".join(lines) + "\n"
