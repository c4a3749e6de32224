"""Causes of a drift in words: what a field of the pipeline is called, and where it is written."""

from typing import Any

from pipec.backends.github.fields import Field
from pipec.diagnostics import Route


def describe_place(place: Field) -> str:  # noqa: PLR0911 - a case for each kind of place
    """What the field is called in a sentence."""
    match place:
        case ("sync", "github"):
            return "the section `sync.github`"
        case ("sync", "github", *names):
            return f"the setting `{'.'.join(names)}` of `sync.github`"
        case ("setup", name):
            return f"the toolchain `{name}`"
        case ("setup", name, field):
            return f"the `{field}` of the toolchain `{name}`"
        case ("triggers", name):
            return f"the trigger `{name}`"
        case ("triggers", name, field):
            return f"the field `{field}` of the trigger `{name}`"
        case ("jobs", name):
            return f"the job `{name}`"
        case ("jobs", name, field):
            return f"the field `{field}` of the job `{name}`"
        case ("pipeline", "cache"):
            return "the folder in which results of tasks are kept"
        case ("pipeline", "file"):
            return "the path of the pipeline file"
        case ("pipeline", name):
            return f"the {name} of the workflow"
        case _:
            return f"`{'.'.join(place)}`"


def describe_value(value: Any, verb: str = "") -> str:
    """The end of the sentence: the value, if it is short; `verb` stands before it."""
    if value is True and not verb:
        return ""
    match value:
        case dict() if all(isinstance(item, str) for item in value.values()):
            text = ", ".join(f"`{name}: {item}`" for name, item in value.items())
        case bool():
            text = "true" if value else "false"
        case str() | int():
            text = f"`{value}`"
        case list() if all(isinstance(item, (str, int)) for item in value):
            text = ", ".join(f"`{item}`" for item in value)
        case _:
            return ""
    return f": it {verb or 'is'} {text}"


_OF_JOB = frozenset({"timeout", "needs", "params", "trigger", "environment", "mode"})
_OF_GITHUB = frozenset({"permissions", "runs-on", "runs-on-matrix", "concurrency", "pages"})


def route_of(place: Field) -> Route:  # noqa: PLR0911 - a case for each kind of place
    """The way to a field in the pipeline file, as far as it is written there."""
    match place:
        case ("jobs", name, field) if field in _OF_JOB:
            return ("jobs", name, field)
        case ("jobs", name, "provenance"):
            return ("jobs", name, "requires", "provenance")
        case ("jobs", name, field) if field in _OF_GITHUB:
            return ("jobs", name, "github", field)
        case ("jobs", name, *_):
            return ("jobs", name)
        case ("triggers", name, "cron" | "timezone" | "manual" as field):
            return ("triggers", name, field)
        case ("triggers", name, field):
            return ("triggers", name, "github", field)
        case ("triggers", name):
            return ("triggers", name)
        case ("sync", "github", *names):
            return ("sync", "github", *names[:1])
        case ("pipeline", "name"):
            return ("name",)
        case _:
            return ()
