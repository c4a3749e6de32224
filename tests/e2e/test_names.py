"""Files of every name that a file system takes: as inputs, as outputs, in reports and records."""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.e2e.records import read_journal, read_records, statuses

# As long as a name may be, and a path that is longer than most programs expect.
LONG = "/".join(("d" * 150, "e" * 150, "f" * 200))
NAMES = {
    "spaces": b" two  words ",
    "a newline": b"one\ntwo",
    "quotes": b'it\'s "quoted" `too`',
    "an escape": b"\x1b[31mred\x07",
    "a backslash": b"back\\slash",
    "emoji": "\N{ROCKET}\N{COMBINING ACUTE ACCENT}".encode(),
    "invalid UTF-8": b"\xff\xfe\x80",
    "half of a surrogate pair": b"\xed\xa0\x80",
    "what a glob is made of": b"[a]{b,c}*?!",
    "a leading dash": b"-rf",
    "a percent sign": b"100%d",
    "a long path": LONG.encode(),
}

PIPELINE = """
name = "app"

[tasks.copy]
inputs = ["in/**"]
outputs = ["out/**"]
cache = true
run = "rm -rf out; cp -R -- in out; echo ran >> ran"

[tasks.read]
depends-on = ["copy"]
inputs = ["out/**"]
outputs = []
cache = true
run = "echo read >> ran"
"""


def files(folder: Path) -> dict[bytes, bytes]:
    """Path → contents of everything below a folder."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = Path(at, name)
            found[os.fsencode(path.relative_to(folder))] = path.read_bytes()
    return found


def put(folder: Path, name: bytes, contents: bytes) -> Path:
    path = folder / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents)
    return path


def everything_kept(project: Project) -> list[bytes]:
    """What the runs wrote down for programs and people."""
    runs = project.folder / ".pipec/runs"
    return [path.read_bytes() for path in sorted(runs.rglob("*")) if path.is_file()]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_file_of_any_name_is_an_input_an_output_and_a_reason(
    project: Project, name: bytes
) -> None:
    project.write("pipeline.toml", PIPELINE)
    put(project.folder / "in", name, b"1")
    changed = put(project.folder / "in", b"plain", b"1")
    assert project.pipec("run", "read").status == 0
    made = files(project.folder / "out")
    assert made[name] == b"1"

    # Damaged outputs are restored, without running anything.
    put(project.folder / "out", name, b"damaged")
    put(project.folder / "out", name + b"2", b"too much")
    (project.folder / "out/plain").unlink()
    assert project.pipec("run", "read").status == 0
    assert files(project.folder / "out") == made
    assert project.read("ran") == "ran\nread\n"

    # Everything is in place now.
    assert project.pipec("run", "read").status == 0
    assert project.read("ran") == "ran\nread\n"

    changed.write_bytes(b"1")
    put(project.folder / "in", name, b"2")
    result = project.pipec("run", "read")
    assert result.status == 0
    assert "miss: in/" in result.stderr
    assert files(project.folder / "out")[name] == b"2"

    why = project.pipec("why", "copy")
    assert why.status == 0
    assert "in/**" in why.stdout
    explained = json.loads(project.pipec("why", "copy", "--format", "json").stdout)
    assert [file["rule"] for file in explained["files"]] == ["in/**"]

    first, restored, quick, last = read_records(project.folder)
    assert [statuses(record) for record in (first, restored, quick, last)] == [
        {"copy": "passed", "read": "passed"},
        {"copy": "cached", "read": "cached"},
        {"copy": "cached", "read": "cached"},
        {"copy": "passed", "read": "passed"},
    ]
    path = "in/" + name.decode("utf-8", "backslashreplace")
    assert last["tasks"][0]["verdict"]["changed"] == [{"path": path, "change": "changed"}]
    for record in (first, restored, quick, last):
        assert read_journal(project.folder, record["run_id"])
    for kept in everything_kept(project):
        # Text that every reader can read, and no name is a command for their terminal.
        assert "\x1b" not in kept.decode("utf-8")
    assert "\x1b" not in result.stderr + why.stdout


@pytest.mark.parametrize("name", [" two  words ", "one\ntwo", "'\"`$x", "\N{ROCKET}"])
def test_a_project_can_be_in_a_folder_of_any_name(make_project, name: str) -> None:
    project = make_project(name)
    project.write("pipeline.toml", PIPELINE)
    project.write("in/a", "1")
    assert [project.pipec("run", "read").status for _ in range(2)] == [0, 0]
    assert [statuses(record)["read"] for record in read_records(project.folder)] == [
        "passed",
        "cached",
    ]
    here = project.pipec("-C", f"../{name}", "run", "read")
    assert (here.status, project.read("ran")) == (0, "ran\nread\n")


@pytest.mark.parametrize("words", [("run", "copy"), ("check",), ("why", "copy"), ("runs", "ls")])
def test_a_folder_whose_path_is_not_text_is_refused(make_project, words: tuple[str, ...]) -> None:
    project = make_project(os.fsdecode(b"caf\xe9"))
    project.write("pipeline.toml", PIPELINE)
    for place in ([], ["-C", str(project.folder)]):
        result = project.pipec(*place, *words)
        assert result.status == 2
        assert "error[PIPEC_NOT_UTF8]: the path of the project's folder" in result.stderr
        assert "Traceback" not in result.stderr
    assert [path.name for path in project.folder.iterdir()] == ["pipeline.toml"]


def test_an_argument_that_is_not_text_is_an_unknown_target(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    result = project.pipec("run", os.fsdecode(b"caf\xe9"))
    assert result.status == 2
    assert "PIPEC_UNKNOWN_TARGET" in result.stderr
    assert "`caf\\udce9`" in result.stderr
