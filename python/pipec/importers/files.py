"""The files of the project that an importer may read: text, inside the project, never too large."""

import os
import posixpath

from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import SpecError
from pipec.frontend.discover import Found
from pipec.frontend.document import Document
from pipec.frontend.read import read_bytes, read_text

_NEVER_ENTERED = frozenset({".git", ".pipec", "node_modules"})


class Files:
    """Reads files by their path in the project, and remembers which ones it read."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.read_paths: dict[str, None] = {}

    def exists(self, path: str) -> bool:
        """Whether there is a file at this path, inside the project."""
        return _is_inside(path) and os.path.isfile(os.path.join(self.root, path))

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder at this path, inside the project."""
        return _is_inside(path) and os.path.isdir(os.path.join(self.root, path))

    def read(self, path: str) -> Document:
        """The text of a file.

        Raises:
            SpecError: it cannot be read, it is no text, it is too large, or nothing is in it.
        """
        found = Found(self.root, os.path.join(self.root, path), "yaml", path)
        content = read_bytes(found)
        if not content.decode(errors="ignore").removeprefix("\ufeff").strip():
            message = f"there is nothing in `{path}` to import"
            raise SpecError([Finding(Code.NOTHING_TO_IMPORT, message)])
        if b"\0" in content:
            message = f"`{path}` cannot be read: it is no text"
            raise SpecError([Finding(Code.UNREADABLE_FILE, message)])
        document = read_text(found, content)
        self.read_paths.setdefault(path)
        return document

    def folders(self, below: str = "") -> list[str]:
        """Every folder of the project below this one, sorted, without those that tools fill."""
        found: list[str] = []
        for folder, names, _ in os.walk(os.path.join(self.root, below)):
            names[:] = sorted(name for name in names if name not in _NEVER_ENTERED)
            relative = os.path.relpath(folder, self.root).replace(os.sep, "/")
            found.extend(posixpath.normpath(posixpath.join(relative, name)) for name in names)
        return sorted(found)

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder, sorted."""
        path = os.path.join(self.root, folder)
        try:
            with os.scandir(path) as entries:
                return sorted(entry.name for entry in entries if entry.is_file())
        except OSError:
            return []


def _is_inside(path: str) -> bool:
    normal = posixpath.normpath(path)
    return not normal.startswith(("/", "../")) and normal != ".." and "\0" not in path
