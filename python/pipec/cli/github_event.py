"""The event that a command is about: of the command line, or of the run of GitHub Actions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from pipec.backends.github.event import Event, changed_range, event_of
from pipec.backends.github.subject import Subject
from pipec.cli.git import Repository
from pipec.cli.invocation import Invocation
from pipec.cli.options import UsageError
from pipec.errors import PlanError
from pipec.spec.events import USUAL_ACTIVITIES

EventName = Annotated[
    str | None,
    typer.Option("--event", metavar="NAME", help="The event, such as `push`; else the runner's."),
]
Ref = Annotated[
    str | None, typer.Option(metavar="REF", help="Its branch or tag: `refs/heads/main`.")
]
Base = Annotated[
    str | None, typer.Option(metavar="BRANCH", help="The branch that a pull request leads to.")
]
Action = Annotated[
    str | None,
    typer.Option("--type", metavar="TYPE", help="Its activity, such as `opened`."),
]
Cron = Annotated[str | None, typer.Option(metavar="CRON", help="The schedule that has come.")]
Changed = Annotated[
    list[str] | None, typer.Option("--changed", metavar="PATH", help="A file that has changed.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOptions:
    """What the command line says of the event; None: nothing."""

    name: str | None = None
    ref: str | None = None
    base: str | None = None
    action: str | None = None
    cron: str | None = None
    changed: Sequence[str] | None = None
    selected: str | None = None


def read_event(invocation: Invocation, subject: Subject, options: EventOptions) -> Event:
    """The event. What the command line says counts before what the runner says.

    Raises:
        UsageError: there is neither, or what the runner left cannot be read.
    """
    environ = invocation.environ
    name = options.name or environ.get("GITHUB_EVENT_NAME", "")
    if not name:
        advice = (
            "in a workflow GitHub says it; elsewhere write `--event push --ref refs/heads/main`"
        )
        raise UsageError("which event?", help=(advice,))
    is_of_runner = options.name in {None, environ.get("GITHUB_EVENT_NAME")}
    payload = _payload(environ) if is_of_runner else {}
    event = event_of(name, payload, environ if is_of_runner else {})
    # Of an event that somebody names without its activity, the usual one is meant.
    usual = () if is_of_runner else USUAL_ACTIVITIES.get(name, ())
    action = event.action or next(iter(usual), "")
    event = replace(
        event,
        ref=event.ref if options.ref is None else options.ref,
        base=event.base if options.base is None else options.base,
        action=action if options.action is None else options.action,
        cron=event.cron if options.cron is None else " ".join(options.cron.upper().split()),
        selected=event.selected if options.selected is None else options.selected,
        paths=tuple(options.changed) if options.changed else event.paths,
    )
    asks_for_paths = any(clause.paths for job in subject.clauses.values() for clause in job)
    if event.paths is None and asks_for_paths:
        event = replace(event, paths=_changed_files(invocation, subject, payload))
    return event


def _payload(environ: Mapping[str, str]) -> Mapping[str, Any]:
    path = environ.get("GITHUB_EVENT_PATH", "")
    if not path:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            payload = json.load(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"what `GITHUB_EVENT_PATH` names cannot be read: {error}") from error
    return payload if isinstance(payload, dict) else {}


def _changed_files(
    invocation: Invocation, subject: Subject, payload: Mapping[str, Any]
) -> tuple[str, ...] | None:
    """The files that the event changed; None if the checkout does not reach back so far."""
    revisions = changed_range(payload)
    if not revisions:
        return None
    try:
        repository = Repository.open(subject.place.top, invocation.environ)
        return repository.changed_files(revisions)
    except PlanError:
        return None
