"""Where the pipeline is in its repository: GitHub reads workflows from the top of it."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """The top of the repository, absolute, and the pipeline's folder from there; empty: the top."""

    top: str
    folder: str

    def path(self, inside: str) -> str:
        """A path of the pipeline's folder, from the top of the repository."""
        return f"{self.folder}/{inside}" if self.folder else inside


def find_place(root: str) -> Place:
    """The place of a pipeline's folder; outside any repository that folder is the top."""
    folder = os.path.realpath(root)
    above = folder
    while not os.path.lexists(os.path.join(above, ".git")):
        parent = os.path.dirname(above)
        if parent == above:
            return Place(folder, "")
        above = parent
    inside = os.path.relpath(folder, above).replace(os.sep, "/")
    return Place(above, "" if inside == "." else inside)
