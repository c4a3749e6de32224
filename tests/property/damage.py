"""JSON files that are damaged in every way: as bytes, and as the values that they hold."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

# What no reader expects: of any type, very large, very deep, no text, no number.
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**53,
    2**63,
    10**400,
    1.5,
    float("inf"),
    float("nan"),
    "",
    "x",
    "running",
    "passed",
    "failed",
    "../../../secret",
    "/secret",
    "\0",
    "\ud800",
    "\x1b[2J",
    "2026-13-45T99:99:99.999Z",
    "9999-12-31T23:59:59.999Z",
    "0000-01-01T00:00:00.000Z",
    "y" * 70_000,
    [],
    [None],
    ["x", "x"],
    {},
    {"id": "x"},
)

FILES = (
    b"",
    b"\n",
    b"null\n",
    b"[]\n",
    b"{}\n",
    b'"text"\n',
    b"[" * 200_000,
    b'{"a":' * 200_000,
    b"9" * 10_000,
    b"1e999\n",
    b"\xff\xfe{\0}\0",
    b"\xef\xbb\xbf{}",
    b"\0" * 5000,
)

places = st.integers(0, 10**6)


@st.composite
def damaged(draw: st.DrawFn, contents: bytes) -> bytes:
    """The bytes of a file of JSON, or of one value a line, with one to three kinds of damage."""
    # What its values are is looked at only if it still is JSON.
    kind = draw(st.sampled_from(["values", "values", "values", "bytes", "file"]))
    if kind == "file":
        return draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(1, 3))):
        contents = draw(_values(contents) if kind == "values" else _bytes(contents))
    return contents


@st.composite
def _bytes(draw: st.DrawFn, contents: bytes) -> bytes:
    text = bytearray(contents)
    at = draw(places) % (len(text) + 1)
    match draw(st.sampled_from(["flip", "cut", "insert", "overwrite", "double"])):
        case "flip" if at < len(text):
            text[at] ^= 1 << draw(st.integers(0, 7))
        case "cut":
            del text[at:]
        case "insert":
            text[at:at] = draw(st.binary(min_size=1, max_size=8))
        case "overwrite":
            more = draw(st.binary(min_size=1, max_size=8))
            text[at : at + len(more)] = more
        case _:
            text += text[at:]
    return bytes(text)


@st.composite
def _values(draw: st.DrawFn, contents: bytes) -> bytes:
    """Something in it is another value, is missing, is there twice, or is deeper than it should."""
    lines = contents.split(b"\n")
    number = draw(places) % len(lines)
    try:
        document = json.loads(lines[number])
    except (ValueError, RecursionError):
        return contents
    found = list(_places_in(document))
    if not found:
        return contents
    holder, key = found[draw(places) % len(found)]
    match draw(st.sampled_from(["other", "other", "missing", "swap", "deep", "twice"])):
        case "other":
            holder[key] = draw(st.sampled_from(VALUES))
        case "missing":
            del holder[key]
        case "swap":
            other, at = found[draw(places) % len(found)]
            holder[key] = copy.deepcopy(other[at])
        case "deep":
            for _ in range(draw(st.integers(1, 300))):
                holder[key] = [holder[key]]
        case _ if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case _:
            holder[f"{key}2"] = holder[key]
    lines[number] = json.dumps(document).encode()
    return b"\n".join(lines)


def _places_in(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else []
    keys = list(range(len(value))) if isinstance(value, list) else keys
    found = [(value, key) for key in keys]
    return found + [place for key in keys for place in _places_in(value[key])]
