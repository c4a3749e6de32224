"""Looks for processes that a test left behind, by a mark in their environment."""

import time
from pathlib import Path

MARK = "PIPEC_TEST_MARK"


def processes_with(mark: str) -> dict[int, str]:
    """The live processes that were started with the mark, and their command lines."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = words.decode().strip()
        except OSError:
            continue
    return found


def assert_none_left(mark: str, *, within_s: float = 10) -> None:
    """Asserts that all processes with the mark are gone soon."""
    deadline = time.monotonic() + within_s
    while left := processes_with(mark):
        assert time.monotonic() < deadline, f"still alive: {left}"
        time.sleep(0.01)
