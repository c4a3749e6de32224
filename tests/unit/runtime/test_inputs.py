"""Values out of files, and the output of commands."""

from pathlib import Path

import pytest

from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.inputs import CommandInput, FileValueInput
from pipec.runtime.inputs import FileValues, split_key
from tests.unit.runtime.rig import Rig, shell


def value(folder: Path, file: str, key: str) -> str:
    return FileValues(str(folder), str(folder)).value(FileValueInput(file=file, key=key))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("f.toml", '[a]\nlist = [{ b = "x" }]\n"d.e" = "y"\n'),
        ("f.yaml", "a:\n  list:\n  - b: x\n  d.e: y\n"),
        ("f.json", '{"a": {"list": [{"b": "x"}], "d.e": "y"}}'),
    ],
)
def test_a_value_is_found_by_its_dotted_key(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    assert value(tmp_path, file, "a.list.0.b") == '"x"'
    assert value(tmp_path, file, 'a."d.e"') == '"y"'
    assert value(tmp_path, file, "a") == '{"d.e":"y","list":[{"b":"x"}]}'


def test_a_date_is_a_value_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_text("day = 2026-01-02\n")
    assert value(tmp_path, "f.toml", "day") == '"2026-01-02"'


@pytest.mark.parametrize(
    ("file", "key", "code", "message"),
    [
        (
            "f.json",
            "no.such",
            Code.INPUT_VALUE_MISSING,
            "the input `f.json` has no value `no.such`",
        ),
        ("no.json", "a", Code.INPUT_VALUE_MISSING, "cannot read the input `no.json`: No such file"),
        ("bad.json", "a", Code.INPUT_UNREADABLE, "cannot parse the input `bad.json`: "),
        ("bad.toml", "a", Code.INPUT_UNREADABLE, "cannot parse the input `bad.toml`: "),
        ("bad.yaml", "a", Code.INPUT_UNREADABLE, "cannot parse the input `bad.yaml`: "),
        (".", "a", Code.INPUT_UNREADABLE, "cannot read the input `.`: Is a directory"),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, file: str, key: str, code: Code, message: str
) -> None:
    (tmp_path / "f.json").write_text("{}")
    for bad in ("bad.json", "bad.toml", "bad.yaml"):
        (tmp_path / bad).write_text("{ [")
    with pytest.raises(RunError) as caught:
        value(tmp_path, file, key)
    assert caught.value.code is code
    assert caught.value.message.startswith(message)


def test_a_file_that_is_as_it_was_needs_no_parser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f.toml").write_text("a = 1\n")
    first = FileValues(str(tmp_path), str(tmp_path / "state"))
    wanted = FileValueInput(file="f.toml", key="a")
    assert first.value(wanted) == "1"
    first.save()
    monkeypatch.setitem(__import__("sys").modules, "tomli", None)
    assert FileValues(str(tmp_path), str(tmp_path / "state")).value(wanted) == "1"
    (tmp_path / "f.toml").write_text("a = 2\n")
    with pytest.raises(RunError):
        FileValues(str(tmp_path), str(tmp_path / "state")).value(wanted)


@pytest.mark.parametrize("memory", ["", "[]", "{", '{"a": 1}', "\x00"])
def test_a_spoilt_memory_is_none(tmp_path: Path, memory: str) -> None:
    (tmp_path / "f.json").write_text('{"a": 1}')
    (tmp_path / "values.json").write_text(memory)
    assert value(tmp_path, "f.json", "a") == "1"


def test_a_key_is_cut_at_its_dots() -> None:
    assert list(split_key('a."b.c".d')) == ["a", "b.c", "d"]


def test_an_input_command_runs_once_for_all_tasks(rig: Rig) -> None:
    wanted = (CommandInput(command="echo ran >> runs; echo noise >&2; echo v1"),)
    tasks = [shell(name, "true", structured_inputs=wanted) for name in ("a", "b", "c")]
    assert rig.run(*tasks, concurrency=3).status == "passed"
    assert (rig.folder / "runs").read_text() == "ran\n"


def test_an_input_command_that_fails_fails_the_task(rig: Rig) -> None:
    wanted = (CommandInput(command="echo why >&2; exit 4"),)
    record = rig.run(shell("a", "touch ran", structured_inputs=wanted))
    assert record.tasks[0].error.message == (
        "the input command `echo why >&2; exit 4` ended with exit status 4: why"
    )
    assert not (rig.folder / "ran").exists()
