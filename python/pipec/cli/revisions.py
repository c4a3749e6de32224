"""The pipelines that `pipec diff` compares: the working file or a revision, compiled anew."""

import os
from dataclasses import dataclass, replace

from pipec.cli.git import Entry, Repository
from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import PlanError, SpecError
from pipec.frontend.discover import NAMES, Found, Notation
from pipec.frontend.document import Document
from pipec.frontend.load import load_document
from pipec.frontend.read import LARGEST, read_bytes, read_text
from pipec.ir.pipeline import Pipeline

HEAD = "HEAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two: its revision as asked for and its commit, None for the working file."""

    revision: str | None = None
    commit: str | None = None

    @property
    def label(self) -> str:
        """What a reader knows it by."""
        return "the working file" if self.revision is None else f"`{self.revision}`"


def sides_of(asked: str | None, repository: Repository) -> tuple[Side, Side]:
    """Before and after: of `REV` or nothing, of `A..B`, or of `A...B`, from where the two parted.

    Raises:
        PlanError: a revision is unknown.
    """
    text = HEAD if asked is None else asked
    separator = next((mark for mark in ("...", "..") if mark in text), None)
    if separator is None:
        return _side(text, repository), Side()
    first, _, second = text.partition(separator)
    before, after = _side(first or HEAD, repository), _side(second or HEAD, repository)
    if separator == "...":
        assert before.commit is not None
        assert after.commit is not None
        before = replace(before, commit=repository.common_ancestor(before.commit, after.commit))
    return before, after


def _side(revision: str, repository: Repository) -> Side:
    return Side(revision=revision, commit=repository.commit(revision))


def compile_side(side: Side, found: Found, repository: Repository) -> tuple[str, Pipeline]:
    """The name of the pipeline's file at this side, and the pipeline.

    Raises:
        PlanError: the revision has no pipeline in the project's folder.
        SpecError: the pipeline is wrong; places in the file are told with the revision.
    """
    if side.commit is None:
        document = read_text(found, read_bytes(found))
        return document.path, load_document(document).pipeline
    entry = _find(side, found, repository)
    name = f"{side.revision}:{entry.path}"
    old = Found(
        root=found.root,
        path=os.path.join(found.root, entry.path),
        notation=_notation(entry.path, found),
        shown=name,
    )
    if not entry.is_regular:
        message = f"`{name}` is not a regular file"
        raise SpecError([Finding(Code.UNREADABLE_FILE, message)])
    if entry.size > LARGEST:
        message = f"`{name}` is larger than {LARGEST // 1024 // 1024} MiB"
        raise SpecError([Finding(Code.FILE_TOO_LARGE, message)])
    document = replace(read_text(old, repository.content(entry)), path=entry.path)
    try:
        return entry.path, load_document(document).pipeline
    except SpecError as error:
        if isinstance(error.document, Document):
            error.document = replace(error.document, path=name)
        raise


def _find(side: Side, found: Found, repository: Repository) -> Entry:
    """The file of today if the revision has it, else what the project's folder had instead."""
    assert side.commit is not None
    name = os.path.basename(found.path)
    same = repository.entries(side.commit, [name])
    if same:
        return same[0]
    present = repository.entries(side.commit, NAMES)
    if not present:
        raise PlanError(
            Code.NO_PIPELINE,
            f"there is no pipeline in `{found.root}` at {side.label}",
            help=("a revision before the first pipeline cannot be compared",),
        )
    if len(present) > 1:
        names = ", ".join(f"`{entry.path}`" for entry in present)
        message = f"the project has several pipelines at {side.label}: {names}"
        raise PlanError(Code.SEVERAL_PIPELINES, message)
    return present[0]


def _notation(name: str, found: Found) -> Notation:
    if name not in NAMES:
        return found.notation
    return "toml" if name.endswith(".toml") else "yaml"
