"""What is known of one version of an open file; everything is found out when it is asked for."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import SpecError
from pipec.frontend.discover import NAMES, Found, Notation
from pipec.frontend.document import BlockKey, BlockRead, Document, Kept
from pipec.frontend.load import Loaded, load_document
from pipec.frontend.lower.known_tasks import KnownTasks
from pipec.frontend.outline.cursors import Cursor
from pipec.frontend.outline.entries import Outline
from pipec.frontend.outline.outline import cursors, outline
from pipec.frontend.read import LARGEST, read_text
from pipec.lsp.collect import collect
from pipec.lsp.names import Names
from pipec.lsp.positions import Positions

if TYPE_CHECKING:
    from pipec.frontend.outline.yaml import KnownBlocks

_MARK = "\ufeff".encode()
_SCHEMA_LINE = re.compile(
    rb"(#:schema|yaml-language-server:\s*\$schema=)[^\n]*pipeline\.schema\.json"
)
_NOTATIONS: dict[str, Notation] = {
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "yaml",
}


@dataclass(frozen=True, slots=True)
class Memory:
    """What the versions of one file share: what is known of the blocks of YAML that stay."""

    read: dict[BlockKey, BlockRead] = field(default_factory=dict)
    tasks: KnownTasks = field(default_factory=KnownTasks)
    outlined: "KnownBlocks" = field(default_factory=dict)


class Analysis:
    """One version of a pipeline file. `path` is absolute."""

    def __init__(
        self,
        *,
        path: str,
        notation: Notation,
        positions: Positions,
        version: int | None,
        memory: Memory | None = None,
    ) -> None:
        self._memory = memory or Memory()
        self.path = path
        self.notation = notation
        self.version = version
        content = positions.content
        if content.startswith(_MARK):
            # A byte order mark says nothing, and readers of YAML do not even count it.
            content = content.removeprefix(_MARK)
            positions = Positions(content, positions.encoding, without=_MARK)
        self.positions = positions
        self.content = content
        self.text = content.decode()
        kept = Kept(self._memory.read, self._memory.tasks)
        self.document = Document(os.path.basename(path), self.text, notation, kept=kept)

    @cached_property
    def outline(self) -> Outline:
        """The keys and items of the text, also where it is half written."""
        return outline(self.text, self.notation, self._memory.outlined)

    @cached_property
    def names(self) -> Names:
        """The names in the text."""
        return collect(self.outline, self.content)

    def cursors(self, offset: int) -> Sequence[Cursor]:
        """What can come at a byte offset."""
        return cursors(self.text, self.notation, offset, self.outline)

    @property
    def loaded(self) -> Loaded | None:
        """The pipeline, if the text has no errors."""
        return self._judged[0]

    @property
    def findings(self) -> Sequence[Finding]:
        """Everything that is wrong with the text, by place."""
        return self._judged[1]

    @cached_property
    def _judged(self) -> tuple[Loaded | None, Sequence[Finding]]:
        if len(self.content) > LARGEST:
            message = f"the file is larger than {LARGEST // 1024 // 1024} MiB"
            return None, [Finding(Code.FILE_TOO_LARGE, message)]
        try:
            if not self.text.strip():
                read_text(self._found, self.content)
            loaded = load_document(self.document)
        except SpecError as error:
            return None, error.findings
        return loaded, loaded.warnings

    @property
    def _found(self) -> Found:
        root, name = os.path.split(self.path)
        return Found(root=root, path=self.path, notation=self.notation, shown=name)


def notation_of(path: str, language: str, content: bytes) -> Notation | None:
    """The notation of a pipeline file; None for any other file.

    A pipeline file has one of its names, or a line at its top that names the schema.
    """
    name = os.path.basename(path)
    if name not in NAMES and not _SCHEMA_LINE.search(content[:1000]):
        return None
    notation = _NOTATIONS.get(os.path.splitext(name)[1].lower())
    return notation or ("toml" if language == "toml" else "yaml")
