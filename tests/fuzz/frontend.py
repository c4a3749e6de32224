"""Feeds the front end with bytes that nobody wrote on purpose: it says findings, or is at fault.

`python -m tests.fuzz.frontend --inputs 100000` makes up that many files, from those in `corpus/`
and from the golden files of the language: it cuts, repeats, swaps and replaces bytes, lines and
words, and puts pieces of one file into another. An input that reaches lines which none before it
has reached is built upon further. What raises anything but `SpecError`, or cannot be rendered, is
kept in `found/`.
"""
# ruff: noqa: T201 - a program that tells how it went

import argparse
import hashlib
import random
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from pipec.errors import SpecError
from pipec.frontend.discover import Found, Notation
from pipec.frontend.load import load_document
from pipec.frontend.read import read_text
from pipec.frontend.render import render

FOLDER = Path(__file__).parent
CORPUS = FOLDER / "corpus"
LANGUAGE = FOLDER.parent / "golden" / "language"
FRONT_END = str(Path(load_document.__code__.co_filename).parents[1])

_LONGEST = 4096
_WORDS = [
    *(b"[", b"]", b"{", b"}", b"=", b":", b"- ", b"'", b'"', b'"""', b"\n", b"\r\n", b"\t", b"#"),
    *(
        b"\xff",
        b"\x00",
        b"\xef\xbb\xbf",
        "é😀".encode(),
        b"\\ud800",
        b"\\u0000",
        b"&a ",
        b"*a",
        b"<<",
    ),
    *(
        b"!!int ",
        b"---\n",
        b"%YAML 1.2\n",
        b"? ",
        b"| \n",
        b"> \n",
        b"1e999",
        b"0x1F",
        b"2026-11-25",
    ),
    *(b"tasks", b"[tasks.a]\n", b"run", b"steps", b"matrix", b"include", b"inputs", b"depends-on"),
    *(
        b"^build",
        b"*:test",
        b"!",
        b"**",
        b"{a,b}",
        b"[a-",
        b"../",
        b"cron",
        b"99999999999999999999",
    ),
]


def feed(content: bytes, notation: Notation) -> None:
    """Loads one file; whatever is found has to be renderable.

    Raises:
        Exception: anything that is not a `SpecError` is a fault of the front end.
    """
    found = Found(root="/", path=f"/pipeline.{notation}", notation=notation, shown="pipeline")
    try:
        load_document(read_text(found, content))
    except SpecError as error:
        render(error.findings, error.document, color=False)


def seeds() -> list[bytes]:
    """The files that everything is made of, in the order of their names."""
    paths = [*sorted(CORPUS.iterdir()), *sorted(LANGUAGE.rglob("*.toml"))]
    return [path.read_bytes()[:_LONGEST] for path in paths]


def inputs(count: int, seed: int, pool: list[bytes]) -> Iterator[bytes]:
    """That many inputs; what is added to the pool meanwhile is built upon."""
    source = random.Random(seed)
    for _ in range(count):
        content = source.choice(pool)
        for _ in range(source.randint(1, 4)):
            content = source.choice(_CHANGES)(content, source, pool)
        yield content[:_LONGEST]


def _cut(content: bytes, source: random.Random, _pool: Sequence[bytes]) -> bytes:
    start = source.randint(0, len(content))
    return content[:start] + content[start + source.randint(1, 30) :]


def _repeat(content: bytes, source: random.Random, _pool: Sequence[bytes]) -> bytes:
    start = source.randint(0, len(content))
    end = start + source.randint(1, 60)
    return content[:end] + content[start:end] * source.choice([1, 1, 2, 20]) + content[end:]


def _insert(content: bytes, source: random.Random, _pool: Sequence[bytes]) -> bytes:
    start = source.randint(0, len(content))
    return content[:start] + source.choice(_WORDS) + content[start + source.choice([0, 0, 1, 5]) :]


def _flip(content: bytes, source: random.Random, _pool: Sequence[bytes]) -> bytes:
    if not content:
        return bytes([source.randrange(256)])
    index = source.randrange(len(content))
    return content[:index] + bytes([source.randrange(256)]) + content[index + 1 :]


def _swap_lines(content: bytes, source: random.Random, _pool: Sequence[bytes]) -> bytes:
    lines = content.split(b"\n")
    first, second = source.randrange(len(lines)), source.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _splice(content: bytes, source: random.Random, pool: Sequence[bytes]) -> bytes:
    other = source.choice(pool)
    return content[: source.randint(0, len(content))] + other[source.randint(0, len(other)) :]


def _swap_words(content: bytes, source: random.Random, pool: Sequence[bytes]) -> bytes:
    words, others = content.split(b" "), source.choice(pool).split(b" ")
    words[source.randrange(len(words))] = source.choice(others)
    return b" ".join(words)


_CHANGES: tuple[Callable[[bytes, random.Random, Sequence[bytes]], bytes], ...] = (
    _cut,
    _repeat,
    _insert,
    _flip,
    _swap_lines,
    _splice,
    _swap_words,
)


class Reached:
    """The lines of pipec that were run, and whether the last input was the first to reach some."""

    def __init__(self) -> None:
        self.lines: set[tuple[str, int]] = set()
        self.is_new = False

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(FRONT_END):
            return None
        if event == "line":
            place = (frame.f_code.co_filename, frame.f_lineno)
            if place not in self.lines:
                self.lines.add(place)
                self.is_new = True
        return self


def fuzz(count: int, seed: int, *, guided: bool = True) -> tuple[int, list[bytes], list[str]]:
    """How many lines were reached, what reached new ones, and where the front end failed."""
    pool = seeds()
    reached, kept, failures = Reached(), [], []
    for number, content in enumerate(inputs(count, seed, pool)):
        notation: Notation = "yaml" if number % 2 else "toml"
        # Tracing is slow: every fourth input is enough to learn what is worth building upon.
        traced = guided and number % 8 < 2
        reached.is_new = False
        if traced:
            sys.settrace(reached)
        try:
            feed(content, notation)
        except Exception as error:
            failures.append(_keep(content, notation, error))
        finally:
            sys.settrace(None)
        if reached.is_new:
            pool.append(content)
            kept.append(content)
    return len(reached.lines), kept, failures


def _keep(content: bytes, notation: str, error: Exception) -> str:
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.{notation}"
    (FOLDER / "found").mkdir(exist_ok=True)
    (FOLDER / "found" / name).write_bytes(content)
    return f"found/{name}: {type(error).__name__}: {error}"


def main() -> int:
    """Makes up files until the number is reached; 1 if any of them broke the front end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    lines, kept, failures = fuzz(arguments.inputs, arguments.seed)
    python = sysconfig.get_python_version()
    print(
        f"{arguments.inputs:,} inputs, {lines:,} lines reached, {len(kept):,} built upon ({python})"
    )
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
