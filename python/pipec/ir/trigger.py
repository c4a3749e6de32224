"""When a job runs by itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubEvents:
    """Events of GitHub and their filters."""

    events: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One of the three: by hand, by GitHub, by the clock (five cron fields, in `timezone`)."""

    manual: bool = False
    github: GithubEvents | None = None
    cron: str = ""
    timezone: str = ""
