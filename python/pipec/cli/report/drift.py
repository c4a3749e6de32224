"""Drifts of the generated workflow, printed for people and for programs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pipec.backends.github.check import CODES, Drift
from pipec.backends.github.subject import Subject
from pipec.cli.documents import CheckDocument, FoundProblem, Place
from pipec.cli.github_documents import FoundDrift, GithubCheckDocument
from pipec.cli.report.findings import describe_findings
from pipec.diagnostics import Finding, Label
from pipec.errors import DriftError
from pipec.frontend.document import Document

Style = Callable[[str, str], str]
"""Gives a text a look where the terminal takes any."""


def describe_drifts(
    drifts: Sequence[Drift], trouble: DriftError | None, *, subject: Subject, document: Document
) -> GithubCheckDocument:
    """The outcome of a check as data. `trouble` is what kept it from comparing."""
    sync = subject.sync
    found = [_describe(drift, document) for drift in drifts]
    if trouble is not None:
        found.append(
            FoundDrift(
                code=trouble.code.value,
                message=trouble.message,
                help=trouble.help,
                path=sync.lock,
                places=(),
            )
        )
    return GithubCheckDocument(
        workflow=sync.workflow,
        lock=sync.lock,
        pins=sync.pins,
        is_current=not found,
        drifts=tuple(found),
    )


def by_file(document: GithubCheckDocument) -> Iterator[CheckDocument]:
    """The same as findings, for the printers of findings: a document for each file."""
    for path in dict.fromkeys(drift.path for drift in document.drifts):
        problems = tuple(
            FoundProblem(
                code=drift.code,
                severity="error",
                message=drift.message,
                help=drift.help,
                places=drift.places,
            )
            for drift in document.drifts
            if drift.path == path
        )
        yield CheckDocument(errors=len(problems), warnings=0, findings=problems, path=path)


def render_drifts(document: GithubCheckDocument, style: Style) -> str:
    """The drifts as text: what, where, and what to do."""
    return "\n".join(_render(drift, style) for drift in document.drifts)


def _render(drift: FoundDrift, style: Style) -> str:
    verdict = f"{drift.verdict}: " if drift.verdict else ""
    where = drift.path
    if drift.places:
        where += f":{drift.places[0].line}"
        if drift.places[0].column > 1:
            where += f":{drift.places[0].column}"
    lines = [f"{style(f'error[{drift.code}]', 'red')}: {verdict}{drift.message}"]
    lines.append(f" --> {where}")
    lines += [f"help: {sentence}" for sentence in drift.help]
    lines.append(f"help: pipec explain {drift.code}")
    return "\n".join(lines) + "\n"


def _describe(drift: Drift, document: Document) -> FoundDrift:
    places: tuple[Place, ...] = ()
    if drift.line:
        places = (Place(line=drift.line, column=1, end_line=drift.line, end_column=1, text=""),)
    elif drift.route:
        finding = Finding(CODES[drift.verdict], drift.message, (Label(drift.route, at="key"),))
        (described,) = describe_findings([finding], document).findings
        places = tuple(replace(place, text="") for place in described.places)
    return FoundDrift(
        verdict=drift.verdict,
        code=CODES[drift.verdict].value,
        message=drift.message,
        help=drift.help,
        path=drift.path,
        places=places,
    )
