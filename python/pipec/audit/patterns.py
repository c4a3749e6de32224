"""Which paths a set of patterns selects, asked of the core's own matcher."""

from collections.abc import Iterable, Sequence

from pipec import _core
from pipec.ir.inputs import OutputPattern

_MAGIC = "*?[]{}!\\"


def selected(patterns: Iterable[OutputPattern], paths: Sequence[str]) -> set[str]:
    """Those of the paths of files that the patterns select; the last one that matches decides."""
    rules = list(patterns)
    found = _core.matching([rule.glob for rule in rules], paths)
    return {
        path
        for path, matching in zip(paths, found, strict=True)
        if matching and not rules[matching[-1]].exclude
    }


def literal(path: str) -> str:
    """A pattern that matches just this path."""
    return "".join(f"\\{character}" if character in _MAGIC else character for character in path)


def has_magic(glob: str) -> bool:
    """Whether a pattern stands for more than one path."""
    return any(character in _MAGIC for character in glob)
