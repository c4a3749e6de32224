"""`pipec metadata`: the normalized pipeline with its digest, and what it holds."""

import typer

from pipec.cli.documents import print_document
from pipec.cli.metadata import describe_metadata
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.runtime.visible import visible

app = command_app()

_COUNTED = ("tasks", "jobs", "triggers", "named-inputs", "pools", "agents", "sources")


@app.command(
    epilog=examples(
        "pipec metadata                 what the pipeline holds",
        "pipec metadata --format json   all of it, for programs",
    )
)
def metadata(context: typer.Context, *, format: Format = "text") -> None:  # noqa: A002
    """Print the normalized pipeline with its file, its digest and its warnings.

    Nothing of it is run, and no command or function of it is asked. `pipec compile --format json`
    prints the pipeline alone, byte for byte what the digest is of.
    """
    invocation = invocation_of(context)
    document = describe_metadata(invocation)
    if format == "json":
        print_document(invocation.console, document)
        return
    rows = [
        ("name", visible(str(document.pipeline["name"]))),
        ("file", visible(document.file)),
        ("digest", document.digest),
        ("pipec", document.tool_version),
    ]
    rows += [(part, str(len(document.pipeline.get(part) or ()))) for part in _COUNTED]
    rows.append(("warnings", str(len(document.warnings))))
    width = max(len(name) for name, _ in rows)
    invocation.console.data("".join(f"{name:<{width}}  {value}\n" for name, value in rows))
