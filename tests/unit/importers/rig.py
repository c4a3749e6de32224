"""Imports files in a folder of one's own, and looks at what came out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from pipec.errors import SpecError
from pipec.frontend.document import Document
from pipec.frontend.layout.canonical import canonical_toml
from pipec.importers.files import Files
from pipec.importers.kinds import IMPORTERS
from pipec.importers.make_pipeline import Imported, find_source, make_pipeline
from pipec.ir import codec

SCHEMA = "./.pipec/schemas/pipeline.schema.json"


@dataclass(frozen=True, slots=True)
class Result:
    """An imported pipeline as values, and the notes in words."""

    imported: Imported
    values: dict[str, Any]

    @property
    def text(self) -> str:
        """The pipeline without its line for editors."""
        return self.imported.text.partition("\n\n")[2]

    @property
    def edges(self) -> dict[str, list[str]]:
        """What each task waits for."""
        tasks = self.imported.pipeline.tasks
        return {str(task_id): [str(n) for n in task.depends_on] for task_id, task in tasks.items()}

    def task(self, name: str) -> dict[str, Any]:
        """A task as written."""
        table = self.values["tasks"]
        for part in name.split("."):
            table = table[part]
        return dict(table)

    def notes(self, fidelity: str) -> list[str]:
        """The notes of a degree of fidelity, each on a line."""
        return [
            f"{note.place.path}:{note.place.line}: {note.subject}: {note.reason}"
            for note in self.imported.notes
            if note.fidelity == fidelity
        ]


def write_all(folder: Path, files: Mapping[str, str]) -> None:
    """Writes the files."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def import_from(folder: Path, kind: str, path: str | None = None) -> Result:
    """Imports from a folder in both notations: they mean the same, and the TOML is laid out."""
    importer = next(known for known in IMPORTERS if known.kind == kind)
    files = Files(str(folder))
    source = path or find_source(importer, files)
    toml = make_pipeline(importer, Files(str(folder)), source, notation="toml", schema=SCHEMA)
    yaml = make_pipeline(importer, Files(str(folder)), source, notation="yaml", schema=SCHEMA)
    assert codec.encode(toml.pipeline) == codec.encode(yaml.pipeline)
    assert toml.notes == yaml.notes
    values = tomli.loads(toml.text)
    assert canonical_toml(Document("pipeline.toml", toml.text, "toml"), values) == toml.text
    for task in toml.pipeline.tasks.values():
        assert task.cache is not None or not task.outputs
    return Result(toml, values)


def findings_of(folder: Path, kind: str, path: str | None = None) -> list[str]:
    """What is wrong with a file that cannot be imported: code, place in bytes, message."""
    try:
        import_from(folder, kind, path)
    except SpecError as error:
        return [
            f"{finding.code} {finding.labels[0].span if finding.labels else ''}: {finding.message}"
            for finding in error.findings
        ]
    raise AssertionError("it was imported")
