"""Rules on the filters of triggers: GitHub has to understand them, and the events to have them."""

from collections.abc import Iterator

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.check.checked import Checked
from pipec.frontend.suggest import did_you_mean, nearest
from pipec.spec.events import ACTIVITIES, WITH_BRANCHES, WITH_PATHS, WITH_TAGS
from pipec.spec.github_patterns import pattern_problem, ref_problem
from pipec.spec.trigger import GithubTriggerSpec

_WITHOUT_ALL = frozenset({"pull_request", "merge_group"})
"""Events that may stand beside `push` in one trigger: a filter that they lack lets all pass."""


def bad_patterns(checked: Checked) -> Iterator[Finding]:
    """Patterns that GitHub does not understand."""
    for route, github in _github_triggers(checked):
        for key, filters, problem_of in (
            ("branches", github.branches, ref_problem),
            ("tags", github.tags, ref_problem),
            ("paths", github.paths, pattern_problem),
        ):
            for index, pattern in enumerate(filters or ()):
                if problem := problem_of(pattern):
                    message = f"`{pattern}` is no pattern of GitHub: {problem}"
                    yield _finding(message, (*route, key, index))


def useless_filters(checked: Checked) -> Iterator[Finding]:
    """Filters that an event does not have: GitHub would ignore them, or refuse the file."""
    for route, github in _github_triggers(checked):
        for key, filters, knows, lets_be in (
            ("branches", github.branches, WITH_BRANCHES, frozenset[str]()),
            ("tags", github.tags, WITH_TAGS, _WITHOUT_ALL),
            ("paths", github.paths, WITH_PATHS, frozenset({"merge_group"})),
        ):
            if not filters:
                continue
            for event in sorted(set(github.events) - knows - lets_be):
                message = f"the event `{event}` cannot be filtered by `{key}`"
                yield _finding(message, (*route, key), "give it a trigger of its own, without them")
            if lets_be.issuperset(github.events) and not knows.intersection(github.events):
                message = f"none of the events of the trigger `{route[1]}` is filtered by `{key}`"
                yield _finding(message, (*route, key), "leave it out")


def unknown_activities(checked: Checked) -> Iterator[Finding]:
    """Types that an event does not have."""
    for route, github in _github_triggers(checked):
        # The activities of `repository_dispatch` anybody makes up.
        for event in sorted(set(github.events) - {"repository_dispatch"}):
            known = ACTIVITIES.get(event, ())
            for index, activity in enumerate(github.types or ()):
                if activity not in known:
                    message = f"the event `{event}` has no activity `{activity}`"
                    yield _finding(
                        message,
                        (*route, "types", index),
                        *did_you_mean(activity, known),
                        replacement=nearest(activity, known),
                    )


def _github_triggers(checked: Checked) -> Iterator[tuple[Route, GithubTriggerSpec]]:
    for name, trigger in checked.spec.triggers.items():
        if trigger.github is not None:
            yield ("triggers", name, "github"), trigger.github


def _finding(message: str, route: Route, *help_: str, replacement: str | None = None) -> Finding:
    return Finding(Code.INVALID_FILTER, message, (Label(route),), help_, replacement=replacement)
