"""What is left of a file when its mistakes are taken out, so that the rest can be judged too."""

from collections.abc import Iterable
from typing import Any

from pipec.diagnostics import Finding, Route
from pipec.frontend.suggest import nearest
from pipec.spec.pipeline import PipelineSpec

_SOME_TEXT = "default"
_LISTS_OF_TEXTS = frozenset(
    {"depends-on", "inputs", "needs", "run", "steps", "target", "trigger"}
)  # fmt: skip
"""Lists whose other items can be judged when one of them is some text instead of a mistake."""
_DEPTH_OF_TARGET = 3


def culprit_of(finding: Finding) -> Route:
    """The route of what has to go: the innermost entry of a table that holds the mistake."""
    route = finding.labels[0].route if finding.labels else ()
    if finding.addition is not None and _is_target((*route, finding.addition.key)):
        return (*route, finding.addition.key)
    if "matrix" in route:
        # With one of its variables gone, a matrix would make other tasks.
        return route[: route.index("matrix") + 1]
    if len(route) > 1 and isinstance(route[-1], int) and route[-2] in _LISTS_OF_TEXTS:
        return route
    while route and isinstance(route[-1], int):
        route = route[:-1]
    return route


def without_culprits(values: dict[str, Any], culprits: Iterable[Route]) -> dict[str, Any]:
    """The values without the culprits. Of the whole file only a name can be missing."""
    rest = dict(values)
    for route in culprits:
        if len(route) > 1:
            _take_out(rest, route)
        elif route:
            rest.pop(str(route[0]), None)
    rest.setdefault("name", "pipeline")
    return rest


def section_of(culprit: Route) -> str:
    """The section that is not whole without the culprit: that which its key probably means."""
    key = str(culprit[0])
    return nearest(key, PipelineSpec.keys()) or key


def _is_target(route: Route) -> bool:
    """Whether a route is that of the one key that a job cannot do without."""
    return len(route) == _DEPTH_OF_TARGET and (route[0], route[2]) == ("jobs", "target")


def _take_out(rest: dict[str, Any], route: Route) -> None:
    """Removes one entry; the tables on the way are copied, for they belong to the document."""
    parent: Any = rest
    for part in route[:-1]:
        if isinstance(parent, dict) and part not in parent:
            return
        member = parent[part]
        if not isinstance(member, (dict, list)):
            return
        parent[part] = member.copy()
        parent = parent[part]
    key = route[-1]
    if isinstance(parent, list) or _is_target(route):
        # What else is wrong with the list or the job can be told whatever stands here.
        parent[key] = _SOME_TEXT
    elif isinstance(parent, dict) and key in parent:
        if route[:-1] == ("tasks",) and not isinstance(parent[key], dict):
            # A task stays as an empty one: others may refer to it.
            parent[key] = {}
        else:
            del parent[key]
