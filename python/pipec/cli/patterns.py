"""Which pattern of a task makes a file its input."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from pipec import _core
from pipec.ir.inputs import InputRules, Rule
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import Task


class _Decision(NamedTuple):
    selects: bool
    pattern: str


def deciding_patterns(pipeline: Pipeline, task: Task, paths: Sequence[str]) -> dict[str, str]:
    """For each path of a file the pattern that decides about it, with the named input it is in.

    The last pattern that matches decides. A named input counts as one pattern, which matches what
    it selects: what it leaves out, a pattern before it may still take in. A path that no pattern
    matches is left out.
    """
    return {path: decision.pattern for path, decision in _decisions(pipeline, task, paths)}


def selecting_patterns(pipeline: Pipeline, task: Task, paths: Sequence[str]) -> dict[str, str]:
    """The same for those of the paths that are inputs of the task by its patterns."""
    decisions = _decisions(pipeline, task, paths)
    return {path: decision.pattern for path, decision in decisions if decision.selects}


def _decisions(
    pipeline: Pipeline, task: Task, paths: Sequence[str]
) -> Iterator[tuple[str, _Decision]]:
    globs = sorted(set(_globs(pipeline, task.inputs)))
    for path, found in zip(paths, _core.matching(globs, paths), strict=True):
        matching = {globs[index] for index in found}
        decision = _decide(pipeline, task.inputs, matching, "")
        if decision is not None:
            yield path, decision


def _decide(
    pipeline: Pipeline, rules: InputRules, matching: Collection[str], name: str
) -> _Decision | None:
    """What the rules say of a path that these globs match. No cycle gets past the checks."""
    left_out = None
    for rule in reversed(rules):
        if isinstance(rule, Rule):
            if rule.glob in matching:
                pattern = f"!{rule.glob}" if rule.exclude else rule.glob
                return _Decision(
                    not rule.exclude, f"{pattern} (named input `{name}`)" if name else pattern
                )
            continue
        inner = _decide(pipeline, pipeline.named_inputs[rule.named], matching, rule.named)
        if inner is None:
            continue
        if inner.selects:
            return _Decision(selects=False, pattern=f"!{rule.named}") if rule.exclude else inner
        left_out = left_out or inner
    return left_out


def _globs(pipeline: Pipeline, rules: InputRules) -> Iterator[str]:
    """Every glob of the rules and of the named inputs among them."""
    for rule in rules:
        if isinstance(rule, Rule):
            yield rule.glob
        else:
            yield from _globs(pipeline, pipeline.named_inputs[rule.named])
