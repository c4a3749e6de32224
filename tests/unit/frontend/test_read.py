"""Files that cannot be pipelines, whatever they say."""

import os
from pathlib import Path

import pytest

from pipec.codes import Code
from pipec.errors import SpecError
from pipec.frontend.discover import find
from pipec.frontend.load import load
from pipec.frontend.read import LARGEST


def refusal(folder: Path) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load(find(str(folder)))
    return caught.value


@pytest.mark.parametrize("name", ["pipeline.toml", "pipec.yaml"])
@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf", b"\t"])
def test_an_empty_file_is_told_what_the_least_is(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    error = refusal(tmp_path)
    assert error.code is Code.EMPTY_FILE
    assert "name" in error.help[0]


def test_a_file_of_comments_needs_a_name(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_text("# nothing\n")
    assert refusal(tmp_path).code is Code.MISSING_FIELD
    (tmp_path / "pipeline.toml").rename(tmp_path / "pipeline.yaml")
    assert refusal(tmp_path).code is Code.EMPTY_FILE


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").write_bytes(b'\xef\xbb\xbfname = "app"\r\n')
    assert load(find(str(tmp_path))).pipeline.name == "app"


@pytest.mark.parametrize("name", ["pipeline.toml", "pipeline.yaml"])
def test_the_first_byte_that_is_not_utf8_is_pointed_out(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"a: b\n# \xc3\xa9 \xff\n")
    error = refusal(tmp_path)
    assert error.code is Code.NOT_UTF8
    assert error.message == f"`{name}` is not UTF-8: line 2, column 5 has the byte 0xff"


def test_a_file_of_50_megabytes_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "pipeline.toml").open("wb") as file:
        file.write(b'name = "app"\n#')
        file.truncate(50 * 1024 * 1024)
    assert refusal(tmp_path).code is Code.FILE_TOO_LARGE


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    text = b'name = "app"\n'
    (tmp_path / "pipeline.toml").write_bytes(text + b"#" * (LARGEST - len(text)))
    assert load(find(str(tmp_path))).pipeline.name == "app"


def test_a_file_that_vanishes_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").touch()
    found = find(str(tmp_path))
    (tmp_path / "pipeline.toml").unlink()
    with pytest.raises(SpecError) as caught:
        load(found)
    assert caught.value.code is Code.UNREADABLE_FILE
    assert caught.value.message == "`pipeline.toml` cannot be read: it is not there any more"


def test_a_file_that_becomes_a_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").touch()
    found = find(str(tmp_path))
    (tmp_path / "pipeline.toml").unlink()
    (tmp_path / "pipeline.toml").mkdir()
    with pytest.raises(SpecError) as caught:
        load(found)
    assert caught.value.code is Code.UNREADABLE_FILE


def test_a_link_to_nowhere_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").symlink_to("nowhere")
    assert refusal(tmp_path).code is Code.UNREADABLE_FILE


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipeline.toml")
    error = refusal(tmp_path)
    assert error.message == "`pipeline.toml` cannot be read: it is not a regular file"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pipeline.toml", b'name = "a\0b"\n'),
        ("pipeline.toml", b'name = "a\\u0000b"\n'),
        ("pipeline.yaml", b"name: a\0b\n"),
        ("pipeline.yaml", b'name: "a\\0b"\n'),
        ("pipeline.yaml", b'name: a\n"b\\0": 1\n'),
        ("pipeline.yaml", b'name: "a\\ud800b"\n'),
    ],
)
def test_text_that_no_program_can_be_given_is_refused(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path).code in {Code.INVALID_VALUE, Code.TOML_SYNTAX, Code.YAML_SYNTAX}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pipeline.toml", 'name = "a"\nx = ' + "[" * 100_000),
        ("pipeline.toml", 'name = "a"\nx = ' + "[" * 100 + "]" * 100),
        ("pipeline.toml", "a." * 100_000 + "b = 1"),
        ("pipeline.toml", 'name = "a"\n' + "a." * 500 + "b = 1"),
        ("pipeline.yaml", "name: a\nx: " + "[" * 100_000),
        ("pipeline.yaml", "name: a\nx: " + "{a: " * 90 + "b" + "}" * 90),
        ("pipeline.yaml", "- " * 10_000),
    ],
)
def test_bottomless_nesting_is_an_error_and_no_crash(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert refusal(tmp_path).code in {Code.INVALID_VALUE, Code.TOML_SYNTAX, Code.YAML_SYNTAX}
