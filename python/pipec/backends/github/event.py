"""What happened on GitHub, as far as triggers look at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event.

    `ref` is whole, such as `refs/heads/main`; `base` is the branch that a pull request or a merge
    queue leads to; `selected` is the job chosen by hand; `paths` None: nobody knows what changed.
    """

    name: str
    ref: str = ""
    base: str = ""
    action: str = ""
    cron: str = ""
    selected: str = ""
    paths: tuple[str, ...] | None = None


def event_of(name: str, payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """The event of a run of GitHub Actions: its name, what GitHub says of it, the variables.

    Whatever is missing, or is not of the form that GitHub gives it, is not known.
    """
    base = environ.get("GITHUB_BASE_REF", "")
    if not base:
        base = _text(_table(_table(payload, "pull_request"), "base"), "ref")
    if not base:
        base = _text(_table(payload, "merge_group"), "base_ref").removeprefix("refs/heads/")
    return Event(
        name=name,
        ref=environ.get("GITHUB_REF", "") or _text(payload, "ref"),
        base=base,
        action=_text(payload, "action"),
        cron=" ".join(_text(payload, "schedule").upper().split()),
        selected=_text(_table(payload, "inputs"), "job"),
    )


def changed_range(payload: Mapping[str, Any]) -> str:
    """The commits between which the event's changes are, as git names them; empty: it is not said.

    What a pull request changes begins where the two branches parted.
    """
    pull = _table(payload, "pull_request")
    if pull:
        base, head = _text(_table(pull, "base"), "sha"), _text(_table(pull, "head"), "sha")
        return f"{base}...{head}" if base and head else ""
    before, after = _text(payload, "before"), _text(payload, "after")
    if not before.strip("0") or not after.strip("0"):
        return ""
    return f"{before}..{after}"


def _table(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    member = value.get(key)
    return member if isinstance(member, Mapping) else {}


def _text(value: Mapping[str, Any], key: str) -> str:
    member = value.get(key)
    return member if isinstance(member, str) else ""
