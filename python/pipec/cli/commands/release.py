"""`pipec release`: whether a package is ready to be released."""

from typing import Annotated

import typer

from pipec.cli.documents import ReleaseDocument, print_document
from pipec.cli.parameters import Format, command_app, examples, invocation_of
from pipec.cli.publishing import Attempts, PackagePath, Registry, open_web
from pipec.cli.report.words import plural
from pipec.runtime.visible import visible

app = command_app(help="Look at what a release needs.")

NOT_READY = 1


@app.callback()
def release() -> None:
    """Look at what a release needs."""


@app.command(
    epilog=examples(
        "pipec release doctor",
        "pipec release doctor --package packages/web --format json",
        "pipec release doctor --offline    ask no registry",
    )
)
def doctor(
    context: typer.Context,
    *,
    package: PackagePath = ".",
    registry: Registry = "",
    index: Annotated[
        str,
        typer.Option(metavar="URL", help="Where projects are listed; beside the registry."),
    ] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Ask no registry.")] = False,
    attempts: Attempts = 4,
    format: Format = "text",  # noqa: A002
) -> int:
    """Say what a package lacks to be released. Changes nothing.

    Exits with 1 if anything is missing; warnings alone are no reason to wait.
    """
    from pipec.publishing.doctor import Patient, examine
    from pipec.publishing.manifest import read_package
    from pipec.publishing.tokens import Veil

    invocation = invocation_of(context)
    veil = Veil(invocation.environ)
    with veil.over_errors():
        found = read_package(invocation.start, package)
        checks = examine(
            Patient(
                package=found,
                environ=invocation.environ,
                web=None if offline else open_web(attempts, veil),
                registry=registry,
                index=index,
            )
        )
    missing = sum(check.status == "missing" for check in checks)
    console = invocation.console
    if format == "json":
        document = ReleaseDocument(
            name=found.name, version=found.version, is_ready=not missing, checks=checks
        )
        print_document(console, document)
    else:
        width = max(len(check.status) for check in checks)
        for check in checks:
            advice = f" ({check.help})" if check.help and check.status != "ok" else ""
            line = f"{check.status:<{width}}  {check.message}{advice}"
            console.data(f"{visible(veil.over(line))}\n")
        state = f"{plural(missing, 'thing')} missing" if missing else "ready"
        console.say(f"{' '.join(filter(None, (found.name, found.version)))}: {state}")
    return NOT_READY if missing else 0
