"""The state folder `.pipec`: made when it is first needed, with a note that keeps it out of git."""

import os

_IGNORE = ".gitignore"


def make_state_folder(folder: str) -> None:
    """Makes it if it is missing. Whoever removes the note or changes it keeps their way.

    Raises:
        OSError: it cannot be made.
    """
    try:
        os.mkdir(folder)
    except FileExistsError:
        return
    try:
        with open(os.path.join(folder, _IGNORE), "x", encoding="utf-8") as file:
            file.write("*\n")
    except OSError:
        # A disk that is full says so where it matters.
        return
