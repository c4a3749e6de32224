"""Logs: names that never meet, and a file that keeps both ends of too much output."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipec.runtime.logs import TaskLog, log_name, read_tail


@given(st.text(min_size=1, max_size=400), st.text(min_size=1, max_size=400))
def test_two_ids_never_share_a_log_even_where_case_does_not_count(one: str, other: str) -> None:
    assert (log_name(one).lower() == log_name(other).lower()) == (one == other)


@given(st.text(min_size=1, max_size=400))
def test_a_log_has_a_name_that_every_file_system_takes(task: str) -> None:
    name = log_name(task)
    assert name.isascii()
    assert len(name) <= 255
    assert not set(name) & set('/\\:*?"<>| \0\n')


def write_log(path: Path, chunks: list[bytes], *, limit: int) -> bytes:
    def fail(error: OSError) -> None:
        raise error

    log = TaskLog(str(path), limit=limit, on_trouble=fail)
    for chunk in chunks:
        log.write(chunk)
    log.close()
    return path.read_bytes()


def test_a_log_within_its_limit_is_kept_as_it_is(tmp_path: Path) -> None:
    assert write_log(tmp_path / "log", [b"one\n", b"two"], limit=7) == b"one\ntwo"


def test_a_log_without_a_limit_is_kept_whole(tmp_path: Path) -> None:
    text = b"line\n" * 10_000
    assert write_log(tmp_path / "log", [text], limit=0) == text


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_too_much_output_leaves_head_and_tail_and_a_mark(tmp_path: Path, size: int) -> None:
    text = b"".join(b"line %04d\n" % number for number in range(500))
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    kept = write_log(tmp_path / "log", chunks, limit=200)
    head, _, rest = kept.partition(b"[pipec: ")
    missing, _, tail = rest.partition(b" bytes of output are left out here]\n")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert head.endswith(b"line 0009\n")
    assert tail.startswith(b"line ")
    assert tail.endswith(b"line 0499\n")
    assert len(head) + len(tail) + int(missing) == len(text)
    assert len(tail) > 80


def test_one_endless_line_keeps_its_end(tmp_path: Path) -> None:
    kept = write_log(tmp_path / "log", [b"x" * 1000, b"end"], limit=100)
    assert kept.startswith(b"x" * 50)
    assert kept.endswith(b"xxend")


def test_who_writes_nothing_makes_no_file(tmp_path: Path) -> None:
    log = TaskLog(str(tmp_path / "log"), limit=0, on_trouble=pytest.fail)
    log.write(b"")
    assert not log.is_begun
    log.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", [0, 100])
def test_a_log_of_several_names_stands_under_all_that_are_left(tmp_path: Path, limit: int) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    log = TaskLog(str(first), limit=limit, on_trouble=pytest.fail)
    log.write(b"one\n")
    assert log.continue_at(str(second))
    assert log.continue_at(str(third))
    log.write(b"line\n" * 100)
    first.unlink()
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["second", "third"]
    assert second.read_bytes() == third.read_bytes()
    text = third.read_bytes()
    assert text.startswith(b"one\nline\n")
    assert (b"left out here" in text) == bool(limit)


def test_a_log_that_is_empty_so_far_begins_under_its_latest_name(tmp_path: Path) -> None:
    log = TaskLog(str(tmp_path / "first"), limit=0, on_trouble=pytest.fail)
    assert log.continue_at(str(tmp_path / "second"))
    log.write(b"text")
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["second"]


def test_a_log_that_cannot_have_another_name_stays_where_it_is(tmp_path: Path) -> None:
    log = TaskLog(str(tmp_path / "log"), limit=0, on_trouble=pytest.fail)
    log.write(b"one")
    assert not log.continue_at(str(tmp_path / "no" / "log"))
    log.write(b"two")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"onetwo"


def test_a_log_that_cannot_be_written_is_reported_once(tmp_path: Path) -> None:
    troubles: list[OSError] = []
    log = TaskLog(str(tmp_path / "no" / "log"), limit=0, on_trouble=troubles.append)
    log.write(b"lost")
    log.close()
    assert [type(trouble) for trouble in troubles] == [FileNotFoundError]


def test_the_tail_of_a_file_is_its_last_bytes(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"0123456789")
    assert read_tail(str(tmp_path / "log"), 4) == b"6789"
    assert read_tail(str(tmp_path / "missing"), 4) == b""
