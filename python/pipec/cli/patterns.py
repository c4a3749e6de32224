"""Which pattern of a task makes a file its input."""

import json
from collections.abc import Iterator, Sequence

from pipec import _core
from pipec.ir.inputs import InputRules, Rule
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task

_MAGIC = "*?[]{}!\\"


def deciding_patterns(pipeline: Pipeline, task: Task, paths: Sequence[str]) -> dict[str, str]:
    """For each path the pattern that decides about it, with the named input it comes from, if any.

    The last pattern that matches decides. A path that no pattern matches is left out.
    """
    rules = list(_flat(pipeline, task.inputs, ""))
    sets = [[{"glob": _literal(path)}] for path in paths]
    sets += [[{"glob": _below(rule.glob)}] for rule, _ in rules]
    decided: dict[str, str] = {}
    for first, second, _ in sorted(_core.overlaps(json.dumps(sets))):
        if first < len(paths) <= second:
            rule, name = rules[second - len(paths)]
            pattern = f"!{rule.glob}" if rule.exclude else rule.glob
            decided[paths[first]] = f"{pattern} (named input `{name}`)" if name else pattern
    return decided


def _flat(pipeline: Pipeline, rules: InputRules, name: str) -> Iterator[tuple[Rule, str]]:
    """The rules with every named input replaced by its own; no cycle gets past the checks."""
    for rule in rules:
        if isinstance(rule, Rule):
            yield rule, name
        else:
            yield from _flat(pipeline, pipeline.named_inputs[rule.named], rule.named)


def _literal(path: str) -> str:
    """A pattern that matches just this path."""
    return "".join(f"\\{character}" if character in _MAGIC else character for character in path)


def _below(glob: str) -> str:
    """A pattern without magic may name a folder: then it means everything below it."""
    return glob if any(character in _MAGIC for character in glob) else f"{{{glob},{glob}/**}}"
