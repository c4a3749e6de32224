"""What the models allow at a place of the file: keys, words, and names of other things."""

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pipec.diagnostics import Route
from pipec.frontend.hints import bare, chooser_of, forms_of, member_of
from pipec.frontend.outline.entries import Outline
from pipec.lsp.names import Kind
from pipec.spec.base import Spec
from pipec.spec.cache import POLICIES, CacheRegistry, StoreSpec, TaskCacheSpec
from pipec.spec.inputs import OutputsOfSpec
from pipec.spec.job import JobSpec
from pipec.spec.later import ProfileSpec
from pipec.spec.meaning import Meaning, meanings
from pipec.spec.pipeline import PipelineSpec
from pipec.spec.step import AgentStepSpec
from pipec.spec.sync_github import SyncGithubSpec
from pipec.spec.task import TaskSpec

REFERENCES: Mapping[tuple[type[Spec], str], Kind] = {
    (TaskSpec, "depends-on"): "task",
    (OutputsOfSpec, "outputs-of"): "task",
    (JobSpec, "target"): "task",
    (JobSpec, "trigger"): "trigger",
    (JobSpec, "needs"): "job",
    (JobSpec, "execution"): "profile",
    (TaskSpec, "inputs"): "named input",
    (PipelineSpec, "named-inputs"): "named input",
    (TaskSpec, "pool"): "pool",
    (TaskSpec, "cache"): "store",
    (TaskCacheSpec, "store"): "store",
    (PipelineSpec, "cache"): "store",
    (CacheRegistry, "default"): "store",
    (StoreSpec, "layered"): "store",
    (AgentStepSpec, "agent"): "agent",
    (ProfileSpec, "sandbox"): "sandbox",
    (SyncGithubSpec, "profile"): "profile",
}
"""What the texts of a field name."""

WITH_POLICY = frozenset({(TaskSpec, "cache"), (PipelineSpec, "cache"), (CacheRegistry, "default")})
"""Fields whose reference to a store can say a policy too."""

Field = tuple[type[Spec], str]
"""A table's model and one of its keys."""


@dataclass(frozen=True, eq=False)
class ExpectedKey:
    """A key that a table may have; there is one of each. `is_table`: its value can be a table."""

    meaning: Meaning
    hint: Any
    is_table: bool

    @property
    def name(self) -> str:
        """The key itself."""
        return self.meaning.key


@dataclass(frozen=True, slots=True)
class Expected:
    """What may stand at a route: hints of the models, and the field that it belongs to."""

    hints: Sequence[Any]
    field: Field | None

    def table_keys(self) -> Iterator[ExpectedKey]:
        """The keys of the tables that may stand here, each once."""
        seen = set()
        for hint in self.hints:
            if not _is_spec(hint):
                continue
            for key in _keys_of(hint):
                if key.name not in seen:
                    seen.add(key.name)
                    yield key

    def words(self) -> Iterator[str | bool]:
        """The words that may stand here, other than names."""
        for hint in self.hints:
            if get_origin(hint) is Literal:
                yield from get_args(hint)
            elif hint is bool:
                yield from (True, False)

    def reference(self) -> Kind | None:
        """What a text here names, if it names something."""
        return REFERENCES.get(self.field) if self.field is not None else None

    def policies(self) -> Sequence[str]:
        """The policies that a reference to a store may say here."""
        return POLICIES if self.field in WITH_POLICY else ()


def expected_at(route: Route, outline: Outline) -> Expected:
    """What may stand at a route, judged by the looks of what stands there and around it."""
    hints: list[Any] = [PipelineSpec]
    field: Field | None = None
    for depth, element in enumerate(route):
        members = []
        for hint in hints:
            is_index = isinstance(element, int)
            member = member_of(hint, element) if is_index == (get_origin(hint) is list) else None
            if member is None:
                continue
            if _is_spec(hint) and isinstance(element, str):
                field = (hint, element)
            members.append(member)
        hints = _expand(members, route[: depth + 1], outline)
    return Expected(hints, field)


@cache
def _keys_of(table: type[Spec]) -> tuple[ExpectedKey, ...]:
    members = ((meaning, member_of(table, meaning.key)) for meaning in meanings(table))
    return tuple(ExpectedKey(meaning, hint, _can_be_table(hint)) for meaning, hint in members)


def _expand(hints: Sequence[Any], route: Route, outline: Outline) -> list[Any]:
    """The hints without choices: of those the form that stands there, else all of them."""
    expanded: list[Any] = []
    pending = [*reversed(hints)]
    while pending:
        hint = bare(pending.pop())
        forms = forms_of(hint)
        if forms is None:
            if get_origin(hint) is types.UnionType:
                pending.extend(reversed(get_args(hint)))
            elif hint not in expanded:
                expanded.append(hint)
            continue
        value = outline.value(route)
        choose = chooser_of(hint)
        tag = None if value is None or choose is None else choose(value)
        if isinstance(value, str) and not value:
            # Nothing is written between the quotes: it may become anything.
            tag = None
        chosen = forms.get(str(tag)) if tag is not None else None
        pending.extend([chosen] if chosen is not None else reversed(list(forms.values())))
    return expanded


def _is_spec(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Spec)


def _can_be_table(hint: Any) -> bool:
    pending = [hint]
    while pending:
        hint = bare(pending.pop())
        forms = forms_of(hint)
        if forms is not None:
            pending.extend(forms.values())
        elif _is_spec(hint) or get_origin(hint) is dict:
            return True
    return False
