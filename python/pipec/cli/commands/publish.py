"""`pipec publish`: packages to registries, each version once."""

from typing import Annotated, Literal

import typer

from pipec.cli.parameters import DryRun, Format, command_app, examples, invocation_of
from pipec.cli.publishing import Attempts, PackagePath, Registry, open_web, tell

app = command_app(help="Publish a package: each version once, and never another content for it.")


@app.command(
    epilog=examples(
        "pipec publish npm",
        "pipec publish npm --package packages/web --dry-run",
    )
)
def npm(
    context: typer.Context,
    *,
    package: PackagePath = ".",
    registry: Registry = "",
    tag: Annotated[
        str, typer.Option(metavar="TAG", help="The tag; `latest` unless it is a pre-release.")
    ] = "",
    access: Annotated[
        Literal["public", "restricted"] | None,
        typer.Option(help="Who may read it; unless given, the manifest and npm decide."),
    ] = None,
    attempts: Attempts = 4,
    dry: DryRun = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Publish a package of npm.

    The token is in NODE_AUTH_TOKEN or NPM_TOKEN. A job of GitHub Actions with `id-token: write`
    needs none, and says where the package was built.
    """
    from pipec.publishing.manifest import read_package
    from pipec.publishing.npm import NpmRequest, publish_npm
    from pipec.publishing.tokens import Veil

    invocation = invocation_of(context)
    veil = Veil(invocation.environ)
    with veil.over_errors():
        outcome = publish_npm(
            read_package(invocation.start, package, ecosystem="npm"),
            NpmRequest(registry=registry, tag=tag, access=access or "", is_dry=dry),
            web=open_web(attempts, veil),
            environ=invocation.environ,
            veil=veil,
        )
    tell(invocation, (outcome,), format)


@app.command(
    epilog=examples(
        "pipec publish pypi",
        "pipec publish pypi --package packages/api --dist build/dist",
    )
)
def pypi(
    context: typer.Context,
    *,
    package: PackagePath = ".",
    registry: Registry = "",
    index: Annotated[
        str,
        typer.Option(metavar="URL", help="Where projects are listed; beside the registry."),
    ] = "",
    dist: Annotated[
        str,
        typer.Option(metavar="DIR", help="Where what was built is; `dist` of the package."),
    ] = "",
    attempts: Attempts = 4,
    dry: DryRun = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Publish what was built of a package of Python.

    The token is in PYPI_TOKEN, TWINE_PASSWORD or UV_PUBLISH_TOKEN. A trusted publisher, a job of
    GitHub Actions with `id-token: write`, needs none.
    """
    import os

    from pipec.publishing.manifest import read_package
    from pipec.publishing.pypi import PypiRequest, publish_pypi
    from pipec.publishing.tokens import Veil

    invocation = invocation_of(context)
    veil = Veil(invocation.environ)
    with veil.over_errors():
        folder = os.path.join(invocation.start, dist) if dist else ""
        outcome = publish_pypi(
            read_package(invocation.start, package, ecosystem="pypi"),
            PypiRequest(registry=registry, index=index, dist=folder, is_dry=dry),
            web=open_web(attempts, veil),
            environ=invocation.environ,
            veil=veil,
        )
    tell(invocation, (outcome,), format)


@app.command(
    epilog=examples(
        "pipec publish github pr",
        "pipec publish github main --package packages/web",
        "pipec publish github release --dry-run",
    )
)
def github(
    context: typer.Context,
    mode: Annotated[
        Literal["pr", "main", "release"],
        typer.Argument(metavar="pr|main|release", help="What the job is for."),
    ],
    *,
    package: PackagePath = ".",
    registry: Registry = "",
    dist: Annotated[
        str,
        typer.Option(metavar="DIR", help="Where what was built is; `dist` of the package."),
    ] = "",
    attempts: Attempts = 4,
    dry: DryRun = False,
    format: Format = "text",  # noqa: A002
) -> None:
    """Publish to GitHub, in a job of GitHub Actions.

    pr: a preview of a pull request and a comment that says how to install it. main: a preview of a
    branch. release: the package, and the release with its section of the changelog. The token is in
    GITHUB_TOKEN. A fork publishes nothing, nor does a commit that is not the head any more.
    """
    import os

    from pipec.publishing.github import PACKAGES, Desk, GithubRequest, publish_github
    from pipec.publishing.github_event import read_event
    from pipec.publishing.manifest import read_package
    from pipec.publishing.tokens import Veil

    invocation = invocation_of(context)
    veil = Veil(invocation.environ)
    with veil.over_errors():
        found = read_package(invocation.start, package)
        desk = Desk(
            web=open_web(attempts, veil),
            environ=invocation.environ,
            veil=veil,
            event=read_event(invocation.environ),
        )
        folder = os.path.join(invocation.start, dist) if dist else ""
        request = GithubRequest(mode=mode, registry=registry or PACKAGES, dist=folder, is_dry=dry)
        outcomes = publish_github(found, request, desk)
    tell(invocation, outcomes, format)
