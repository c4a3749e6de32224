"""Checks every value of the file by the models of `pipec.spec`: all mistakes at once."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pipec.codes import Code
from pipec.diagnostics import Finding, Route
from pipec.frontend.lower.known_tasks import KnownTasks
from pipec.frontend.mistakes import describe_mistake
from pipec.frontend.remainder import culprit_of, without_culprits
from pipec.spec.pipeline import PipelineSpec


@dataclass(frozen=True, slots=True)
class Validated:
    """What the file says as far as it can be used, and what was wrong with the rest.

    With findings, `spec` holds what is left after the culprits are taken out (None if nothing can
    be said about the whole), and `culprits` are the routes of what was taken out.
    """

    spec: PipelineSpec | None
    findings: tuple[Finding, ...] = ()
    culprits: tuple[Route, ...] = ()


def validate(values: dict[str, Any], known: KnownTasks | None = None) -> Validated:
    """Checks the values of a file; tasks that are known not again."""
    spec, findings = _attempt(values, known)
    culprits: tuple[Route, ...] = ()
    rest, mistakes = values, findings
    for _ in range(_MOST_ATTEMPTS):
        if not mistakes:
            break
        found = tuple(dict.fromkeys(_widened(culprit_of(one), culprits) for one in mistakes))
        culprits += found
        # A table may need what was just taken out of it; then it goes as a whole.
        rest = without_culprits(rest, found)
        spec, mistakes = _attempt(rest, known)
        # The models compare the keys of a table only when each of them is right.
        findings += tuple(mistake for mistake in mistakes if _is_conflict(mistake, culprits))
    return Validated(spec, findings, culprits)


_MOST_ATTEMPTS = 4


def _widened(culprit: Route, known: tuple[Route, ...]) -> Route:
    """The list, if taking an item out of it did not help."""
    return culprit[:-1] if culprit in known and isinstance(culprit[-1], int) else culprit


def _is_conflict(mistake: Finding, culprits: tuple[Route, ...]) -> bool:
    """Whether two keys do not go together, whatever was taken out beside them.

    Of a parameter without a type, though, nobody knows what goes with it.
    """
    if mistake.code is not Code.CONFLICTING_FIELDS:
        return False
    table = mistake.labels[0].route[:-1]
    concerned = {*re.findall(r"`([^`]+)`", mistake.message), "type"}
    return not any((*table, key) in culprits for key in concerned)


def _attempt(
    values: dict[str, Any], known: KnownTasks | None
) -> tuple[PipelineSpec | None, tuple[Finding, ...]]:
    try:
        spec = PipelineSpec.model_validate(values if known is None else known.in_place(values))
    except ValidationError as error:
        errors = error.errors(include_url=False)
    else:
        if known is not None:
            known.note(values, spec)
        return spec, ()
    return None, tuple(describe_mistake(details, values) for details in errors)
