"""From a file of another tool to the text of a pipeline that compiles, and the report."""

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import BugError, SpecError
from pipec.frontend.discover import NAMES, Notation
from pipec.frontend.document import Document
from pipec.frontend.load import load_document
from pipec.frontend.read import read_values
from pipec.importers.files import Files
from pipec.importers.paths import inside, joined
from pipec.importers.port import Importer
from pipec.importers.report import Note, Report
from pipec.importers.settle import settle
from pipec.importers.target import Target
from pipec.importers.write_toml import write_toml
from pipec.importers.write_yaml import write_yaml
from pipec.ir.pipeline import Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A pipeline as text, what it compiles to, the files that it was made from, and the notes."""

    text: str
    pipeline: Pipeline
    sources: tuple[str, ...]
    notes: tuple[Note, ...]


def find_source(importer: Importer, files: Files) -> str:
    """The file that the importer reads when none is named.

    Raises:
        SpecError: there is none.
    """
    for name in importer.names:
        if files.exists(name) or (name.endswith("/") and files.is_folder(name)):
            return name
    names = [f"`{name}`" for name in importer.names]
    listed = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
    message = f"there is no {listed} here"
    advice = f"name the file: `pipec import {importer.kind} FILE`"
    raise SpecError([Finding(Code.NOTHING_TO_IMPORT, message, help=(advice,))])


def make_pipeline(
    importer: Importer,
    files: Files,
    path: str,
    *,
    notation: Notation,
    schema: str,
    prefix: str = "",
) -> Imported:
    """Imports a file. `prefix` is the folder of its project, seen from the pipeline's folder.

    Raises:
        SpecError: the file is not what its tool could read, or says nothing that could be imported.
        BugError: what came out does not compile.
    """
    report = Report()
    target = Target(name=os.path.basename(os.path.abspath(files.root)) or "app", report=report)
    importer.read(path, files, target)
    if not target.tasks:
        message = f"`{path}` has no task that could be imported"
        raise SpecError([Finding(Code.NOTHING_TO_IMPORT, message)])
    if prefix:
        _move(target, prefix)
    settled = settle(target, own_files=NAMES)
    write = write_toml if notation == "toml" else write_yaml
    text = write(settled, schema=schema)
    document = Document(f"pipeline.{notation}", text, notation)
    pipeline = _compile(document, settled.values)
    return Imported(
        text=text, pipeline=pipeline, sources=tuple(files.read_paths), notes=report.notes()
    )


def _compile(document: Document, values: dict[str, Any]) -> Pipeline:
    try:
        read = read_values(document)
        loaded = load_document(document)
    except SpecError as error:
        messages = "; ".join(finding.message for finding in error.findings[:5])
        raise BugError(f"the imported pipeline does not compile: {messages}") from error
    if json.dumps(read, sort_keys=True) != json.dumps(values, sort_keys=True):
        raise BugError("the imported pipeline reads back as something else")
    return loaded.pipeline


def _move(target: Target, prefix: str) -> None:
    """Makes every path of the target relative to a folder above its project."""
    for task in target.tasks.values():
        fields = task.fields
        fields["cwd"] = joined(prefix, fields.get("cwd", ""))
        for key in ("inputs", "outputs"):
            if key in fields:
                known = target.fields.get("named-inputs", {}) if key == "inputs" else {}
                fields[key] = _moved(fields[key], prefix, known)
        for key in ("run", "steps"):
            steps = fields.get(key)
            for step in steps if isinstance(steps, list) else [steps]:
                if isinstance(step, dict) and "cwd" in step:
                    step["cwd"] = joined(prefix, step["cwd"])
    named = target.fields.get("named-inputs", {})
    for name, items in named.items():
        named[name] = _moved(items, prefix, named)
    if "env-files" in target.fields:
        target.fields["env-files"] = _moved(target.fields["env-files"], prefix, ())


def _moved(items: Sequence[Any], prefix: str, known: Any) -> list[Any]:
    moved: list[Any] = []
    for item in items:
        if isinstance(item, str):
            is_name = item.removeprefix("!") in known
            moved.append(item if is_name else inside(prefix, item))
        else:
            paths = {
                key: inside(prefix, item[key]) for key in ("file", "glob", "path") if key in item
            }
            if "command" in item:
                paths["command"] = f"cd {shlex.quote(prefix)} && {item['command']}"
            moved.append({**item, **paths})
    return moved
