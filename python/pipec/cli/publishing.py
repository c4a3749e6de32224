"""What the commands that publish have in common: settings, and how outcomes are told."""

import time
from typing import Annotated

import typer

from pipec import _core
from pipec.cli.documents import PublishDocument, print_document
from pipec.cli.invocation import Invocation
from pipec.cli.options import UsageError
from pipec.publishing.outcome import Outcome
from pipec.publishing.tokens import Veil
from pipec.publishing.web import Web
from pipec.runtime.visible import visible

PackagePath = Annotated[
    str, typer.Option("--package", metavar="PATH", help="The folder or manifest of the package.")
]
Registry = Annotated[
    str, typer.Option("--registry", metavar="URL", help="Where to publish, instead of the default.")
]
Attempts = Annotated[
    int, typer.Option("--attempts", metavar="N", help="How often to ask a server that is down.")
]

_MOST_ATTEMPTS = 20


def open_web(attempts: int, veil: Veil) -> Web:
    """Asks servers, and waits between attempts.

    Raises:
        UsageError: that is no number of attempts.
    """
    if not 1 <= attempts <= _MOST_ATTEMPTS:
        raise UsageError(f"`--attempts` is a number from 1 to {_MOST_ATTEMPTS}")
    return Web(attempts=attempts, wait=time.sleep, agent=f"pipec/{_core.VERSION}", hide=veil.over)


def tell(invocation: Invocation, outcomes: tuple[Outcome, ...], form: str) -> None:
    """Prints what came of it."""
    if form == "json":
        print_document(invocation.console, PublishDocument(outcomes=outcomes))
        return
    for outcome in outcomes:
        invocation.console.data(f"{visible(_sentence(outcome))}\n")


def _sentence(outcome: Outcome) -> str:
    verbs = {"published": "published", "skipped": "skipped", "would-publish": "would publish"}
    text = f"{verbs[outcome.action]} {outcome.name} {outcome.version} ({outcome.where})"
    if outcome.reason is not None:
        text += f": {_REASONS[outcome.reason]}"
    elif outcome.files:
        text += f": {', '.join(outcome.files)}"
    return f"{text}; {outcome.note}" if outcome.note else text


_REASONS = {
    "already-published": "it is there already, with the same content",
    "fork": "forks publish nothing",
    "stale-head": "this is not the head any more",
}
