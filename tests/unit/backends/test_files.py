"""Generated files are written all or none, and compared as text."""

import os

import pytest

from pipec.backends import files
from pipec.backends.files import GeneratedFile, Stale, compare_files, write_files
from pipec.codes import Code
from pipec.errors import RunError

ONE = GeneratedFile("a/one.txt", b"one\n")
TWO = GeneratedFile("two.txt", b"two\n")


def test_files_are_written_once(tmp_path):
    assert write_files(str(tmp_path), [ONE, TWO]) == (
        Stale("a/one.txt", "missing"),
        Stale("two.txt", "missing"),
    )
    assert (tmp_path / "a/one.txt").read_bytes() == b"one\n"
    assert write_files(str(tmp_path), [ONE, TWO]) == ()


def test_other_line_endings_are_the_same_text(tmp_path):
    (tmp_path / "two.txt").write_bytes(b"two\r\n")
    assert compare_files(str(tmp_path), [TWO]) == ()
    assert write_files(str(tmp_path), [TWO]) == ()
    assert (tmp_path / "two.txt").read_bytes() == b"two\r\n"


def test_a_file_that_should_not_be_there_is_removed(tmp_path):
    (tmp_path / "old.txt").write_bytes(b"old\n")
    gone = GeneratedFile("old.txt", None)
    assert compare_files(str(tmp_path), [gone]) == (Stale("old.txt", "left-over"),)
    write_files(str(tmp_path), [gone])
    assert list(tmp_path.iterdir()) == []
    assert write_files(str(tmp_path), [gone]) == ()


def test_no_file_is_changed_unless_all_can_be(tmp_path):
    (tmp_path / "two.txt").write_bytes(b"before\n")
    (tmp_path / "a").write_bytes(b"a file where a folder is wanted\n")
    # `a/one.txt` is prepared after `two.txt`.
    with pytest.raises(RunError) as caught:
        write_files(str(tmp_path), [TWO, ONE])
    assert caught.value.code in {Code.STATE_UNWRITABLE, Code.UNREADABLE_FILE}
    assert (tmp_path / "two.txt").read_bytes() == b"before\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "two.txt"]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_renaming_that_fails_takes_back_those_before_it(tmp_path, monkeypatch, failing):
    (tmp_path / "two.txt").write_bytes(b"before\n")
    (tmp_path / "three.txt").write_bytes(b"before\n")
    wanted = [TWO, ONE, GeneratedFile("three.txt", b"three\n")]
    calls = 0
    replace = os.replace

    def break_once(source, target):
        nonlocal calls
        calls += 1
        if calls == failing + 1:
            raise OSError(5, "broken", target)
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", break_once)
    with pytest.raises(RunError):
        write_files(str(tmp_path), wanted)
    assert (tmp_path / "two.txt").read_bytes() == b"before\n"
    assert (tmp_path / "three.txt").read_bytes() == b"before\n"
    found = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["three.txt", "two.txt"]


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "real.txt").write_bytes(b"before\n")
    (tmp_path / "two.txt").symlink_to("real.txt")
    write_files(str(tmp_path), [TWO])
    assert (tmp_path / "two.txt").is_symlink()
    assert (tmp_path / "real.txt").read_bytes() == b"two\n"


def test_the_mode_of_a_file_is_kept(tmp_path):
    target = tmp_path / "two.txt"
    target.write_bytes(b"before\n")
    target.chmod(0o640)
    write_files(str(tmp_path), [TWO])
    assert target.stat().st_mode & 0o777 == 0o640
