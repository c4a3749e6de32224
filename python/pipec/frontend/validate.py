"""Checks every value of the file by the models of `pipec.spec`: all mistakes at once."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pipec.diagnostics import Finding, Route
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


def validate(values: dict[str, Any]) -> Validated:
    """Checks the values of a file."""
    try:
        return Validated(PipelineSpec.model_validate(values))
    except ValidationError as error:
        errors = error.errors(include_url=False)
    findings = tuple(describe_mistake(details, values) for details in errors)
    culprits = tuple(dict.fromkeys(culprit_of(finding) for finding in findings))
    return Validated(without_culprits(values, culprits), findings, culprits)
