"""How a file is called from the top of its repository, which is how code review knows it."""

import os


def path_in_repository(path: str, *, shown: str) -> str:
    """The path from the nearest folder above the file that is a checkout, with slashes.

    Outside any repository it is the path as the user would write it.
    """
    folder = os.path.dirname(path)
    while True:
        if os.path.lexists(os.path.join(folder, ".git")):
            return os.path.relpath(path, folder).replace(os.sep, "/")
        above = os.path.dirname(folder)
        if above == folder:
            return shown.replace(os.sep, "/")
        folder = above
