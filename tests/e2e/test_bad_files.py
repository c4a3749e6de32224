"""Pipeline files that are no such thing: a clear error from the command line, at once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project

MEBIBYTES_50 = 50 * 2**20


def make_large(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'name = "app"\n# ')
        file.truncate(MEBIBYTES_50)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (Path.mkdir, "is a folder"),
    "50 megabytes": (make_large, "PIPEC_FILE_TOO_LARGE"),
    "a pipe": (os.mkfifo, "not a regular file"),
    "a link to nowhere": (lambda path: path.symlink_to("gone"), "PIPEC_UNREADABLE_FILE"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "PIPEC_UNREADABLE_FILE"),
    "nothing": (Path.touch, "PIPEC_EMPTY_FILE"),
    "no text": (lambda path: path.write_bytes(b'name = "\xff"\n'), "PIPEC_NOT_UTF8"),
    "zeros": (lambda path: path.write_bytes(bytes(1000)), "PIPEC_TOML_SYNTAX"),
}


@pytest.mark.parametrize("words", [("run", "x"), ("check",), ("list",)])
@pytest.mark.parametrize(("make", "said"), BAD.values(), ids=BAD.keys())
def test_what_is_no_pipeline_file_is_named(
    project: Project, make: Callable[[Path], object], said: str, words: tuple[str, ...]
) -> None:
    make(project.folder / "pipeline.toml")
    result = project.pipec(*words)
    told = result.stdout + result.stderr
    assert result.status in (1, 2)
    assert said in told
    assert "pipeline.toml" in told
    assert "PIPEC_BUG" not in told
    assert not (project.folder / ".pipec").exists()
