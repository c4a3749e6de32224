"""`pipec profile`: where the time of a run went."""

from typing import Annotated

import typer

from pipec.cli.concurrency import usable_cores
from pipec.cli.documents import print_document
from pipec.cli.exports import typed_record
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.records import find_record
from pipec.cli.report.profile import render_profile
from pipec.codes import Code
from pipec.errors import PlanError
from pipec.runtime.evidence.graph import needs_of, pipeline_of
from pipec.runtime.evidence.profile import profile as profile_run

app = command_app()

_ALWAYS = (1, 2, 4, 8, 16)


@app.command(
    epilog=examples(
        "pipec profile                  the newest run",
        "pipec profile --cores 32       and how long it would take on 32 cores",
        "pipec profile --cold           as if nothing had been cached",
    )
)
def profile(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="The id of a run, or its beginning.")
    ] = "latest",
    *,
    cores: Annotated[
        list[int] | None,
        typer.Option("--cores", min=1, metavar="N", help="Also predict for so many at once."),
    ] = None,
    cold: Annotated[
        bool, typer.Option("--cold", help="Count hits with the time they took when they ran.")
    ] = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Say where the time of a run went: the chain that decided its length, what ran beside it.

    Predictions come from the scheduler itself, with the times of this run.
    """
    invocation = invocation_of(context)
    root = invocation.find().root
    record = typed_record(find_record(root, run))
    needs = needs_of(root, record)
    if needs is None:
        raise PlanError(
            Code.UNKNOWN_RUN,
            f"what waited for what in run `{record.run_id}` is not known any more",
            help=("the pipeline has changed too often since; a newer run can be profiled",),
        )
    counts = {*_ALWAYS, usable_cores(), record.request.concurrency, *(cores or ())}
    result = profile_run(record, needs, pipeline_of(root, record), cores=counts, cold=cold)
    if format == "json":
        print_document(invocation.console, result)
    else:
        invocation.console.data(render_profile(result))
