"""Loads a pipeline: read, validate, lower, check; every finding of the file at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipec import _core
from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.errors import SpecError
from pipec.frontend.check import check
from pipec.frontend.discover import Found
from pipec.frontend.document import Document
from pipec.frontend.lower import lower
from pipec.frontend.origins import TaskOrigin
from pipec.frontend.read import read_bytes, read_text, read_values
from pipec.frontend.remainder import section_of
from pipec.frontend.validate import Validated, validate
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import TaskId
from pipec.spec.version import requirement_problem, satisfies


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pipeline without errors, what its author should look at all the same, and its file."""

    pipeline: Pipeline
    warnings: tuple[Finding, ...]
    document: Document
    origins: Mapping[TaskId, TaskOrigin]


def load(found: Found) -> Loaded:
    """The pipeline of a file.

    Raises:
        SpecError: with every finding, sorted by place.
    """
    return load_document(read_text(found, read_bytes(found)))


def load_document(document: Document) -> Loaded:
    """The pipeline of a text.

    Raises:
        SpecError: with every finding, sorted by place.
    """
    values = read_values(document)
    _refuse_newer(values.get("pipec"), document)
    known = document.kept.tasks if document.kept is not None else None
    validated = validate(values, known)
    findings = list(validated.findings)
    lowered = None
    if validated.spec is not None:
        lowered = lower(validated.spec, known)
        later = [*lowered.findings, *check(validated.spec, lowered, document)]
        findings += _independent(later, validated, values) if findings else later
    findings = in_order(findings, document)
    if lowered is None or any(finding.severity == "error" for finding in findings):
        raise SpecError(findings, document=document)
    return Loaded(lowered.pipeline, tuple(findings), document, lowered.origins)


def in_order(findings: Iterable[Finding], document: Document) -> list[Finding]:
    """The findings by place, each once; those about the whole file come first."""
    unique = list(dict.fromkeys(findings))
    routed = [finding for finding in unique if finding.labels and finding.labels[0].span is None]
    spans = document.spans([finding.labels[0].route for finding in routed])
    places = {
        id(finding): span[0 if finding.labels[0].at == "key" else 2]
        for finding, span in zip(routed, spans, strict=True)
        if span is not None
    }
    for finding in unique:
        if finding.labels and finding.labels[0].span is not None:
            places[id(finding)] = finding.labels[0].span[0]
    return sorted(unique, key=lambda finding: places.get(id(finding), -1))


def _refuse_newer(requirement: object, document: Document) -> None:
    """Says that the tool is too old before anything else: the rest may be all new to it."""
    if not isinstance(requirement, str) or requirement_problem(requirement):
        return
    if satisfies(_core.VERSION, requirement):
        return
    message = f"this pipeline needs pipec {requirement}, and this is pipec {_core.VERSION}"
    finding = Finding(Code.TOOL_TOO_OLD, message, (Label(("pipec",)),), ("install that version",))
    raise SpecError([finding], document=document)


_PLACES_OF: Mapping[Code, tuple[Route, ...]] = {
    Code.UNKNOWN_TASK: (("tasks",), ("workspace",), ("sources",)),
    Code.UNKNOWN_JOB: (("jobs",),),
    Code.UNKNOWN_TRIGGER: (("triggers",),),
    Code.UNKNOWN_POOL: (("pools",),),
    Code.UNKNOWN_STORE: (("cache", "stores"),),
    Code.UNKNOWN_AGENT: (("agents",),),
    Code.UNKNOWN_PROFILE: (("execution",),),
    Code.UNKNOWN_SANDBOX: (("sandboxes",),),
}
"""Where what a name may mean is defined."""


def _independent(
    later: Sequence[Finding], validated: Validated, values: Mapping[str, Any]
) -> list[Finding]:
    """The errors that would be there even if what was taken out before were right."""
    missing = [(section_of(route), *route[1:]) for route in validated.culprits if route]
    return [
        finding
        for finding in later
        if finding.severity == "error"
        and not any(_concerns(finding, gone) for gone in validated.culprits)
        and not _means_something_missing(finding, missing, values)
    ]


def _means_something_missing(
    finding: Finding, missing: Sequence[Route], values: Mapping[str, Any]
) -> bool:
    """Whether a name may be that of something that was taken out."""
    places = _PLACES_OF.get(finding.code)
    if places is None:
        return False
    written: Any = values
    for part in finding.labels[0].route:
        written = written[part]
    name = written.partition(":")[0] if isinstance(written, str) else None
    return any(
        gone == (*place, name) or place[: len(gone)] == gone for place in places for gone in missing
    )


def _concerns(finding: Finding, culprit: Route) -> bool:
    """Whether the finding is about the culprit, or explains itself with what is in it."""
    if not finding.labels:
        return False
    first, *others = (label.route for label in finding.labels)
    return all(a == b for a, b in zip(first, culprit, strict=False)) or any(
        route[: len(culprit)] == culprit for route in others
    )
