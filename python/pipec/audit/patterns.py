"""Which paths a set of patterns selects, asked of the core's own matcher."""

import json
from collections.abc import Iterable, Sequence

from pipec import _core
from pipec.ir.inputs import OutputPattern

_MAGIC = "*?[]{}!\\"


def selected(patterns: Iterable[OutputPattern], paths: Sequence[str]) -> set[str]:
    """Those of the paths that the patterns select; the last one that matches decides."""
    rules = [{"glob": below(one.glob), "exclude": one.exclude} for one in patterns]
    if not rules or not paths:
        return set()
    sets = [rules, *([{"glob": literal(path)}] for path in paths)]
    found = _core.overlaps(json.dumps(sets))
    return {paths[second - 1] for first, second, _ in found if first == 0}


def literal(path: str) -> str:
    """A pattern that matches just this path."""
    return "".join(f"\\{character}" if character in _MAGIC else character for character in path)


def below(glob: str) -> str:
    """A pattern without magic may name a folder: then it means everything below it."""
    return glob if has_magic(glob) else f"{{{glob},{glob}/**}}"


def has_magic(glob: str) -> bool:
    """Whether a pattern stands for more than one path."""
    return any(character in _MAGIC for character in glob)
