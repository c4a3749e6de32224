"""What an importer is: a name, the files it looks for, and a function from a file to a pipeline."""

from collections.abc import Callable
from dataclasses import dataclass

from pipec.importers.files import Files
from pipec.importers.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """One importer.

    `names` are the files that it looks for, the likeliest first; `read` gets the path of one of
    them, relative to the root of `files`, and the target to fill. It runs nothing.

    Raises:
        SpecError: from `read`: with every mistake that makes the file unreadable for its own tool.
    """

    kind: str
    tool: str
    names: tuple[str, ...]
    read: Callable[[str, Files, Target], None]
