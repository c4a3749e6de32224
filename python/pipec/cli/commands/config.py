"""`pipec config`: the settings that influence pipec, and where each came from."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from pipec.cli.documents import ConfigDocument, Setting, print_document
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.settings import find_settings
from pipec.runtime.visible import visible

app = command_app()

_WIDEST = 40


@app.command(epilog=examples("pipec config", "pipec config --sources"))
def config(
    context: typer.Context,
    *,
    sources: Annotated[
        bool, typer.Option("--sources", help="Also print where each value came from.")
    ] = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Print every setting that influences pipec here.

    What is wrong with one of them is said and is no failure. JSON always has the sources.
    """
    invocation = invocation_of(context)
    settings = find_settings(invocation)
    if format == "json":
        print_document(invocation.console, ConfigDocument(settings=settings))
    else:
        lines = _lines(settings, with_sources=sources)
        invocation.console.data("".join(f"{line}\n" for line in lines))


def _lines(settings: Sequence[Setting], *, with_sources: bool) -> Iterator[str]:
    names = max(len(setting.name) for setting in settings)
    values = [visible(setting.value) if setting.value is not None else "-" for setting in settings]
    width = max(len(value) for value in values if len(value) <= _WIDEST) if with_sources else 0
    for setting, value in zip(settings, values, strict=True):
        source = f"  {visible(setting.source)}" if with_sources else ""
        yield f"{setting.name:<{names}}  {value:<{width}}{source}"
        if setting.problem:
            yield f"{'':<{names}}  problem: {visible(setting.problem)}"
