"""The report of an import, for people and for programs."""

from collections.abc import Iterator

from pipec.cli.documents import ImportDocument, ImportNote
from pipec.cli.report.words import plural
from pipec.importers.make_pipeline import Imported
from pipec.importers.port import Importer
from pipec.importers.report import FIDELITIES
from pipec.runtime.visible import visible


def describe_import(importer: Importer, result: Imported, path: str | None) -> ImportDocument:
    """The report as data. `path` is the file that was written, if one was."""
    return ImportDocument(
        kind=importer.kind,
        sources=result.sources,
        tasks=len(result.pipeline.tasks),
        jobs=len(result.pipeline.jobs),
        notes=tuple(
            ImportNote(
                fidelity=note.fidelity,
                path=note.place.path,
                line=note.place.line,
                subject=note.subject,
                reason=note.reason,
            )
            for note in result.notes
        ),
        path=path,
    )


def render_import(document: ImportDocument) -> str:
    """The report as text: a section for each degree of fidelity, a line for each note."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: ImportDocument) -> Iterator[str]:
    sources = ", ".join(visible(source) for source in document.sources)
    yield f"{plural(document.tasks, 'task')}, {plural(document.jobs, 'job')} from {sources}"
    for fidelity in FIDELITIES:
        notes = [note for note in document.notes if note.fidelity == fidelity]
        if notes:
            yield ""
            yield f"{fidelity} ({len(notes)})"
        for note in notes:
            yield f"  {visible(f'{note.path}:{note.line}: {note.subject}: {note.reason}')}"
