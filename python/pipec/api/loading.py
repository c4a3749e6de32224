"""Loads the pipeline of a project."""

import os
from dataclasses import replace

from pipec.frontend import discover
from pipec.frontend.load import load as load_file
from pipec.ir.pipeline import Pipeline


def load(path: str | os.PathLike[str] = ".") -> Pipeline:
    """The pipeline of a project, checked and normalized. Runs nothing and writes nothing.

    `path` is a pipeline file, or a folder: then the nearest pipeline file is taken, from there
    upwards. The folder of the file is the `root` of what is given.

    Raises:
        SpecError: there is no pipeline file, or it is wrong; `findings` has all that is wrong.
        NotADirectoryError: `path` is neither a file nor a folder.
    """
    place = os.path.abspath(path)
    if os.path.isdir(place):
        found = discover.find(place, None)
    elif os.path.isfile(place):
        found = discover.find(os.path.dirname(place), os.path.basename(place))
    else:
        raise NotADirectoryError(f"{place} is neither a pipeline file nor a folder")
    return replace(load_file(found).pipeline, root=found.root)
