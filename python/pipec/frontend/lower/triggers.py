"""Triggers in their normal form."""

from collections.abc import Mapping

from pipec.ir.trigger import GithubEvents, Trigger
from pipec.spec.trigger import TriggerSpec


def lower_triggers(triggers: Mapping[str, TriggerSpec]) -> dict[str, Trigger]:
    """The triggers by name, in the order of their names."""
    return {name: _lower_trigger(triggers[name]) for name in sorted(triggers)}


def _lower_trigger(spec: TriggerSpec) -> Trigger:
    if spec.github is None:
        return Trigger(
            manual=bool(spec.manual),
            cron=spec.cron or spec.schedule or "",
            timezone=spec.timezone or "",
        )
    events = GithubEvents(
        events=tuple(sorted(set(spec.github.events))),
        # The order of filters counts: the last one that fits decides.
        branches=tuple(spec.github.branches or ()),
        tags=tuple(spec.github.tags or ()),
        paths=tuple(spec.github.paths or ()),
        types=tuple(sorted(set(spec.github.types or ()))),
    )
    return Trigger(github=events)
