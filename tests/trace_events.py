"""What a document in the Trace Event Format has to be: its published rules, held strictly.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU names the phases,
what each needs, and that slices of one thread must nest.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

NEEDED = {
    "X": {"name", "pid", "tid", "ts", "dur"},
    "M": {"name", "pid", "args"},
    "C": {"name", "pid", "ts", "args"},
    "s": {"name", "cat", "pid", "tid", "ts", "id"},
    "f": {"name", "cat", "pid", "tid", "ts", "id"},
}
OPTIONAL = {"args", "cat", "cname", "tid", "bp", "tts", "tdur"}
ABOUT = {
    "process_name": {"name": str},
    "thread_name": {"name": str},
    "thread_sort_index": {"sort_index": int},
}
# Reserved in trace-viewer's color_scheme.
COLORS = {"good", "bad", "terrible", "thread_state_iowait"}


def check_trace(document: Any) -> list[str]:
    """Every rule that the document breaks."""
    return list(_problems(document))


def _problems(document: Any) -> Iterator[str]:
    if not isinstance(document, dict) or not isinstance(document.get("traceEvents"), list):
        yield "a document is an object with a list `traceEvents`"
        return
    if document.get("displayTimeUnit", "ms") not in ("ms", "ns"):
        yield "displayTimeUnit is `ms` or `ns`"
    events = document["traceEvents"]
    broken = [problem for event in events for problem in _event(event)]
    if broken:
        yield from broken
        return
    yield from _nesting([event for event in events if event["ph"] == "X"])
    yield from _flows(events)


def _event(event: dict[str, Any]) -> Iterator[str]:
    phase = event.get("ph")
    if phase not in NEEDED:
        yield f"no phase `{phase}`"
        return
    missing = NEEDED[phase] - event.keys()
    unknown = event.keys() - NEEDED[phase] - OPTIONAL - {"ph"}
    if missing or unknown:
        yield f"{event}: without {missing}, with {unknown}"
    for name in ("ts", "dur"):
        number = event.get(name, 0)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0:
            yield f"{event}: `{name}` is a number of microseconds"
    for name in ("pid", "tid"):
        if not isinstance(event.get(name, 0), int):
            yield f"{event}: `{name}` is an integer"
    if not isinstance(event.get("args", {}), dict):
        yield f"{event}: `args` is an object"
    if event.get("cname", "good") not in COLORS:
        yield f"{event}: no colour of that name"
    if phase == "M":
        shape = ABOUT.get(event["name"])
        if shape is None or {k: type(v) for k, v in event["args"].items()} != shape:
            yield f"{event}: no such metadata"
    if phase == "C" and not all(isinstance(v, (int, float)) for v in event["args"].values()):
        yield f"{event}: a counter counts"


def _nesting(slices: list[dict[str, Any]]) -> Iterator[str]:
    place = lambda event: (event["pid"], event["tid"])  # noqa: E731
    for _, of_thread in groupby(sorted(slices, key=place), key=place):
        open_ends: list[int] = []
        ordered = sorted(of_thread, key=lambda event: (event["ts"], -event["dur"]))
        for event in ordered:
            end = event["ts"] + event["dur"]
            while open_ends and open_ends[-1] <= event["ts"]:
                open_ends.pop()
            if open_ends and end > open_ends[-1]:
                yield f"{event}: overlaps another slice of its thread"
            open_ends.append(end)


def _flows(events: list[dict[str, Any]]) -> Iterator[str]:
    slices = [event for event in events if event["ph"] == "X"]
    begun: dict[Any, int] = {}
    for event in events:
        if event["ph"] not in "sf":
            continue
        inside = any(
            (one["pid"], one["tid"]) == (event["pid"], event["tid"])
            and one["ts"] <= event["ts"] <= one["ts"] + one["dur"]
            for one in slices
        )
        if not inside:
            yield f"{event}: an arrow begins and ends in a slice"
        if event["ph"] == "s":
            begun[event["id"]] = event["ts"]
        elif begun.pop(event["id"], event["ts"] + 1) > event["ts"]:
            yield f"{event}: an arrow that did not begin before"
    if begun:
        yield f"arrows without an end: {sorted(begun)}"
