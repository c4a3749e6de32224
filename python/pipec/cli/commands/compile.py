"""`pipec compile`: the canonical form of the pipeline."""

import typer

from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.ir import codec

app = command_app()


@app.command(
    name="compile",
    epilog=examples(
        "pipec compile                  name, size and digest",
        "pipec compile --format json    the canonical JSON, the bytes that the digest is of",
    ),
)
def compile_pipeline(context: typer.Context, *, format: Format = "text") -> None:  # noqa: A002
    """Compile the pipeline to its normalized form.

    This is what every other command works on.
    """
    invocation = invocation_of(context)
    _, compiled = invocation.compile()
    if format == "json":
        invocation.console.data(compiled.pipeline_bytes.decode() + "\n")
        return
    pipeline = codec.decode(compiled.pipeline_bytes)
    invocation.console.data(
        f"name    {pipeline.name}\n"
        f"tasks   {len(pipeline.tasks)}\n"
        f"jobs    {len(pipeline.jobs)}\n"
        f"digest  {codec.digest(compiled.pipeline_bytes)}\n"
    )
