"""Durations, sizes, schedules and versions."""

import pytest
from pydantic_core import PydanticCustomError

from pipec.spec.cron import cron_problem, shortest_pause
from pipec.spec.scalars import parse_duration, parse_size
from pipec.spec.version import requirement_problem, satisfies


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        (1, 1),
        ("500ms", 500),
        ("30s", 30_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("1.5s", 1500),
        ("2h30m", 9_000_000),
        ("7d", 604_800_000),
        ("0.1s", 100),
    ],
)
def test_a_duration_is_in_milliseconds(written: object, milliseconds: int) -> None:
    assert parse_duration(written) == milliseconds


@pytest.mark.parametrize(
    "written",
    [
        0,
        -1,
        "0s",
        "",
        "5",
        "5 m",
        "m",
        "-5m",
        "1.s",
        ".5s",
        "1e3s",
        "5M",
        "٣s",
        2**53,
        "9" * 60 + "s",
    ],
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(PydanticCustomError):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "size"), [(5, 5), ("20GiB", 20 * 2**30), ("1.5kB", 1500), ("2 MB", 2_000_000)]
)
def test_a_size_is_in_bytes(written: object, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", [0, -1, "5", "5 gigabytes", True, 1.5, "9999999999TB"])
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(PydanticCustomError):
        parse_size(written)


@pytest.mark.parametrize(
    "written",
    [
        "17 2 * * *",
        "*/5 0-6,22-23 1 JAN-mar,12 SUN-SAT",
        "0 0 31 1,2 *",
        "5/15 * * * 7",
        "0 0 30 2 1",
    ],
)
def test_a_schedule_that_comes_is_right(written: str) -> None:
    assert cron_problem(written) == ""


@pytest.mark.parametrize(
    "written",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "*/0 * * * *",
        "a * * * *",
        "* * 31 4 *",
        "* * 30,31 FEB *",
        "@daily",
        "1,,2 * * * *",
    ],
)
def test_a_schedule_that_never_comes_is_wrong(written: str) -> None:
    assert cron_problem(written) != ""


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("* * * * *", 1),
        ("*/5 * * * *", 5),
        ("*/7 * * * *", 4),
        ("2,58 * * * *", 4),
        ("0,2 3 1 * *", 2),
        ("58 23 * * *", 1440),
        ("0,59 0,23 * * *", 1),
        ("17 2,14 * * MON", 720),
        ("0 0 1 1 *", 1440),
    ],
)
def test_the_shortest_pause_of_a_schedule_is_known(written: str, minutes: int) -> None:
    assert shortest_pause(written) == minutes


@pytest.mark.parametrize(
    ("version", "requirement", "fits"),
    [
        ("0.3.1", ">=0.3", True),
        ("0.2.9", ">=0.3", False),
        ("1.4.2", "~=1.4", True),
        ("2.0", "~=1.4", False),
        ("1.4.9", "~=1.4.2", True),
        ("1.5", "~=1.4.2", False),
        ("1.0", "==1.0.0", True),
        ("1.0.1", ">1,!=1.0.1", False),
        ("1.0.0-rc.1", "<=1.0", True),
    ],
)
def test_a_version_meets_a_requirement(version: str, requirement: str, *, fits: bool) -> None:
    assert requirement_problem(requirement) == ""
    assert satisfies(version, requirement) is fits


@pytest.mark.parametrize("requirement", ["", "1", "=>1", "^1.2", ">=1,", "x" * 300])
def test_what_is_no_requirement_is_told(requirement: str) -> None:
    assert requirement_problem(requirement) != ""
