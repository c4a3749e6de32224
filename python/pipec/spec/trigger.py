"""Triggers, §8 of the language."""

from difflib import get_close_matches
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from pipec.codes import Code
from pipec.spec.base import Spec, refusal
from pipec.spec.cron import cron_problem
from pipec.spec.events import Event
from pipec.spec.scalars import Text, text_like
from pipec.spec.zones import ZONES


def _can_match(filters: list[str]) -> list[str]:
    if all(text.startswith("!") for text in filters):
        message = "a filter of exclusions alone matches nothing"
        advice = 'put what it excludes from before them: `"**"`'
        raise refusal(Code.INVALID_VALUE, message, advice=advice)
    return filters


Filter = Annotated[list[Text], Field(min_length=1), AfterValidator(_can_match)]


class GithubTriggerSpec(Spec):
    """Events of GitHub, and what they are filtered by."""

    noun: ClassVar[str] = "a GitHub trigger"

    events: Annotated[list[Event], Field(min_length=1)]
    """The events.

    events = ["pull_request", "push"]
    """
    branches: Filter | None = None
    """Branches, as patterns of GitHub.

    branches = ["main", "release/**", "!release/old"]
    """
    tags: Filter | None = None
    """Tags, as patterns of GitHub.

    tags = ["v*"]
    """
    paths: Filter | None = None
    """Changed files, as patterns of GitHub.

    paths = ["web/**", "!**/*.md"]
    """
    types: Annotated[list[Text], Field(min_length=1)] | None = None
    """Activities of the events, such as `opened`.

    types = ["opened", "synchronize"]
    """


def _cron(value: str) -> str:
    problem = cron_problem(value)
    if problem:
        advice = "five fields: minute, hour, day of month, month, day of week"
        raise refusal(Code.INVALID_CRON, f"`{value}` is not a schedule: {problem}", advice=advice)
    return " ".join(value.split())


def _zone(value: str) -> str:
    if value not in ZONES:
        message = f"`{value}` is not a time zone"
        advice = (
            f"did you mean `{found}`?" if (found := _like(value)) else "write it as `Europe/Paris`"
        )
        raise refusal(Code.INVALID_VALUE, message, advice=advice)
    return value


def _like(zone: str) -> str:
    """The time zone that is probably meant: the city's, or the one that is spelled most alike."""
    city = zone.rpartition("/")[2].replace(" ", "_").casefold()
    of_city = sorted(known for known in ZONES if known.rpartition("/")[2].casefold() == city)
    return next(iter(of_city or get_close_matches(zone, sorted(ZONES), n=1)), "")


Zone = Annotated[str, AfterValidator(_zone), text_like(r"\S")]
Cron = Annotated[str, AfterValidator(_cron), text_like(r"^\s*\S+(\s+\S+){4}\s*$")]


class TriggerSpec(Spec):
    """When a job runs by itself: exactly one way."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    noun: ClassVar[str] = "a trigger"

    manual: bool | None = None
    """By hand.

    manual = true
    """
    github: GithubTriggerSpec | None = None
    """By events of GitHub.

    github = { events = ["push"], branches = ["main"] }
    """
    cron: Cron | None = None
    """By the clock: five cron fields.

    cron = "17 2 * * *"
    """
    schedule: Cron | None = None
    """Another word for `cron`.

    schedule = "17 2 * * 1-5"
    """
    timezone: Zone | None = None
    """The time zone of `cron`, such as `Europe/Paris`; UTC unless given.

    timezone = "Europe/Paris"
    """

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [key for key in ("manual", "github", "cron", "schedule") if getattr(self, key)]
        if not ways:
            message = "a trigger needs `manual = true`, `github` or `cron`"
            raise refusal(Code.MISSING_FIELD, message)
        if len(ways) > 1:
            message = f"a trigger has one way, and this one has `{ways[0]}` and `{ways[1]}`"
            raise refusal(Code.CONFLICTING_FIELDS, message, key=ways[1], beside=ways[0])
        if self.timezone is not None and ways[0] not in {"cron", "schedule"}:
            message = "only a `cron` has a `timezone`"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="timezone", beside=ways[0])
        return self
