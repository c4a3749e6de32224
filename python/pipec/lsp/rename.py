"""Rename: a name everywhere at once, or not at all.

The file with the new name is read again before anything is answered: every name has to mean what it
meant, so that no reference is lost and none leads to another task.
"""

import re
from collections.abc import Sequence

from lsprotocol import types

from pipec.frontend.lower.tree import OWN_ID
from pipec.frontend.outline.outline import outline
from pipec.lsp.analysis import Analysis
from pipec.lsp.collect import collect
from pipec.lsp.edits import Versioned, workspace_edit
from pipec.lsp.names import Names, Occurrence, Path
from pipec.lsp.spelling import spell_value
from pipec.spec.scalars import ID
from pipec.spec.task import TASK_KEYS

_TASKS = ("task", "member task")


class CannotRenameError(Exception):
    """A name cannot become another; says why."""


def prepare(analysis: Analysis, position: types.Position) -> types.PrepareRenamePlaceholder | None:
    """What would be renamed at a position; None if that is nothing."""
    name = analysis.names.at(analysis.positions.offset(position))
    if name is None or name.path is None or not _is_given(analysis.names, name):
        return None
    return types.PrepareRenamePlaceholder(
        analysis.positions.range(*name.range), placeholder=name.path[-1]
    )


def rename(
    analysis: Analysis, target: Versioned, position: types.Position, new: str
) -> types.WorkspaceEdit | None:
    """The edits that give the name at a position another one; None if there is no name.

    Raises:
        CannotRenameError: the file would mean something else.
    """
    names = analysis.names
    name = names.at(analysis.positions.offset(position))
    if name is None or name.path is None:
        return None
    if not _is_given(names, name):
        raise CannotRenameError(f"nothing in this file is the {name.kind} `{name.path[-1]}`")
    _check_spelling(name.path, name.kind, new)
    changes = [(one, _written(analysis, one, new)) for one in names.same(name)]
    after = _apply(analysis.content, changes)
    _check_meanings(analysis, name, new, after)
    return workspace_edit(
        target,
        [types.TextEdit(analysis.positions.range(*one.range), text) for one, text in changes],
    )


def _is_given(names: Names, name: Occurrence) -> bool:
    return any(one.is_definition for one in names.same(name))


def _check_spelling(path: Path, kind: str, new: str) -> None:
    if not re.fullmatch(ID, new, re.ASCII):
        rules = "letters, digits, `_` and `-`, and no digit or `-` first"
        raise CannotRenameError(f"`{new}` cannot be a name: {rules}")
    if kind in _TASKS and len(path) > 1:
        if path[-1] in OWN_ID:
            raise CannotRenameError(f"`{path[-1]}` stands for its group: rename that")
        if new in OWN_ID:
            raise CannotRenameError(f"`{new}` would stand for its group")
        if new in TASK_KEYS:
            raise CannotRenameError(
                f"a task in a group cannot be called `{new}`: tasks have that key"
            )


def _written(analysis: Analysis, one: Occurrence, new: str) -> str:
    return spell_value(new, "toml") if one.needs_quotes else new


def _apply(content: bytes, changes: Sequence[tuple[Occurrence, str]]) -> bytes:
    for one, text in reversed(changes):
        start, end = one.range
        content = content[:start] + text.encode() + content[end:]
    return content


def _check_meanings(analysis: Analysis, name: Occurrence, new: str, after: bytes) -> None:
    """Compares what every name means before and after, in the order of the text."""
    assert name.path is not None, "only a name that means something is renamed"
    renamed = (*name.path[:-1], new)
    if _is_taken(analysis.names, name, renamed):
        raise CannotRenameError(f"there is a {name.kind} `{new}` already")
    names = collect(outline(after.decode(), analysis.notation), after)
    depth = len(name.path)
    for one, now in zip(analysis.names.occurrences, names.occurrences, strict=False):
        path = one.path
        if path is not None and one.kind == name.kind and path[:depth] == name.path:
            path = (*renamed, *path[depth:])
        if (one.kind, path) != (now.kind, now.path):
            line = analysis.positions.position(one.range[0]).line + 1
            raise CannotRenameError(f"with `{new}`, line {line} would mean something else")
    if len(names.occurrences) != len(analysis.names.occurrences):
        raise CannotRenameError(f"`{new}` would be taken for something else somewhere")


def _is_taken(names: Names, name: Occurrence, renamed: Path) -> bool:
    return any(
        one.is_definition and (one.kind, one.path) == (name.kind, renamed)
        for one in names.occurrences
    )
