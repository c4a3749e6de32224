"""Finds the pipeline file: the nearest folder, upwards, that holds one of six names."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import SpecError

Notation = Literal["toml", "yaml"]

NAMES = (
    "pipeline.toml",
    "pipeline.yaml",
    "pipeline.yml",
    "pipec.toml",
    "pipec.yaml",
    "pipec.yml",
)


@dataclass(frozen=True, slots=True)
class Found:
    """Where the pipeline is.

    `root` is its folder and `path` the file, both absolute; `shown` is the path as a person in the
    folder of departure would write it.
    """

    root: str
    path: str
    notation: Notation
    shown: str


def find(start: str, file: str | None = None) -> Found:
    """The pipeline file for work in the folder `start`; `file`, relative to it, names one instead.

    Raises:
        SpecError: there is none, there are several in one folder, its notation is unknown, or the
            path of its folder is not UTF-8.
    """
    start = os.path.abspath(start)
    if file is not None:
        return _named(start, file)
    folder = start
    while True:
        present = [name for name in NAMES if os.path.lexists(os.path.join(folder, name))]
        if len(present) > 1:
            raise SpecError([_several(start, folder, present)])
        if present:
            return _found(start, os.path.join(folder, present[0]))
        above = os.path.dirname(folder)
        if above == folder:
            raise SpecError([_none(start)])
        folder = above


def _named(start: str, file: str) -> Found:
    path = os.path.abspath(os.path.join(start, file))
    if not os.path.lexists(path):
        raise SpecError([Finding(Code.NO_PIPELINE, f"there is no file `{file}`")])
    return _found(start, path)


def _found(start: str, path: str) -> Found:
    shown = os.path.relpath(path, start)
    if _is_folder(path):
        message = f"`{shown}` is a folder, and a pipeline is a file"
        raise SpecError([Finding(Code.UNREADABLE_FILE, message)])
    extension = os.path.splitext(path)[1].lower()
    notation: Notation
    if extension == ".toml":
        notation = "toml"
    elif extension in {".yaml", ".yml", ".json"}:
        notation = "yaml"
    else:
        message = f"the notation of `{shown}` is not known"
        advice = "name the file `*.toml`, `*.yaml`, `*.yml` or `*.json`"
        raise SpecError([Finding(Code.NO_PIPELINE, message, help=(advice,))])
    root = os.path.dirname(path)
    if not _is_text(root):
        # Tasks learn it as `PIPEC_ROOT`, and records name it: both are text for every reader.
        message = f"the path of the project's folder is not UTF-8: `{root}`"
        raise SpecError([Finding(Code.NOT_UTF8, message, help=("rename the folder",))])
    return Found(root=root, path=path, notation=notation, shown=shown)


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError:
        # A broken link or a folder that may not be entered: reading says so, with the reason.
        return False


def _several(start: str, folder: str, names: list[str]) -> Finding:
    shown = [os.path.relpath(os.path.join(folder, name), start) for name in names]
    return Finding(
        Code.SEVERAL_PIPELINES,
        f"one folder holds several pipelines: {_listed(shown, 'and')}",
        help=("remove all but one, or say which one with `-f FILE`",),
    )


def _listed(names: Sequence[str], word: str) -> str:
    return f"{', '.join(f'`{name}`' for name in names[:-1])} {word} `{names[-1]}`"


def _none(start: str) -> Finding:
    return Finding(
        Code.NO_PIPELINE,
        f"no pipeline in `{start}` or in any folder above it",
        help=(
            f"a pipeline is a file called {_listed(NAMES, 'or')}",
            "`pipec init` writes one",
        ),
    )
