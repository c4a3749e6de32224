"""Inputs and outputs in their normal form."""

from collections.abc import Iterable, Mapping, Sequence

from pipec.codes import Code
from pipec.diagnostics import Finding, Label, Route
from pipec.frontend.cycles import find_cycles
from pipec.frontend.lower.references import References
from pipec.ir.inputs import (
    CommandInput,
    EnvInput,
    FileValueInput,
    InputRules,
    NamedRule,
    OutputPattern,
    OutputsOfInput,
    Rule,
    StructuredInput,
)
from pipec.spec.inputs import (
    CommandInputSpec,
    EnvInputSpec,
    FileValueSpec,
    OutputsOfSpec,
    OutputSpec,
)
from pipec.spec.pipeline import PipelineSpec

DEEPEST = 100
"""How deep named inputs may take each other in: more than anybody writes, and safe to recurse."""

_MOST_LABELS = 4

Item = str | FileValueSpec | EnvInputSpec | CommandInputSpec | OutputsOfSpec


class NamedInputTable:
    """The named inputs: their rules, and the structured items that each of them brings along."""

    def __init__(self, spec: PipelineSpec, references: References, findings: list[Finding]) -> None:
        self._items = spec.named_inputs
        self._references = references
        self._findings = findings
        self._rules: dict[str, Rule | NamedRule] = {}
        self._report_cycles()
        self.rules: dict[str, InputRules] = {
            name: tuple(self._rule(item) for item in self._items[name] if isinstance(item, str))
            for name in sorted(self._items)
        }
        self._structured: dict[str, tuple[StructuredInput, ...]] = {}

    @property
    def meanings(self) -> object:
        """What decides what each item of a list of inputs becomes: where it is equal, all is alike.

        Items of named inputs that refer to tasks are judged when they are first used: while there
        are such items, nothing is alike.
        """
        items = [item for items in self._items.values() for item in items]
        return self._items if all(isinstance(item, str) for item in items) else object()

    def lower(
        self, items: Sequence[Item], route: Route, references: References, *, group: str
    ) -> tuple[InputRules, tuple[int, ...], tuple[StructuredInput, ...]]:
        """A task's rules, the index of each in the file, and its structured inputs."""
        indexes: list[int] = []
        rules: list[Rule | NamedRule] = []
        structured: list[StructuredInput] = []
        for index, item in enumerate(items):
            if not isinstance(item, str):
                structured.extend(self._lower_structured(item, (*route, index), references, group))
                continue
            indexes.append(index)
            rules.append(self._rule(item))
            if item in self._items:
                structured.extend(self._structured_of(item))
        return tuple(rules), tuple(indexes), tuple(dict.fromkeys(structured))

    def _rule(self, item: str) -> Rule | NamedRule:
        """The rule of an item: the same one wherever it is written again."""
        known = self._rules.get(item)
        if known is not None:
            return known
        excludes = item.startswith("!")
        name = item[1:] if excludes else item
        rule: Rule | NamedRule = Rule(glob=name, exclude=excludes)
        if name in self._items:
            rule = NamedRule(named=name, exclude=excludes)
        self._rules[item] = rule
        return rule

    def _structured_of(self, name: str) -> tuple[StructuredInput, ...]:
        """The structured items of a named input and of those that it takes in, in their order."""
        if name not in self._structured:
            found: list[StructuredInput] = []
            for taken in _taken_in(name, self._items):
                for index, item in enumerate(self._items[taken]):
                    if not isinstance(item, str):
                        route = ("named-inputs", taken, index)
                        found.extend(self._lower_structured(item, route, self._references, ""))
            self._structured[name] = tuple(dict.fromkeys(found))
        return self._structured[name]

    def _lower_structured(
        self,
        item: FileValueSpec | EnvInputSpec | CommandInputSpec | OutputsOfSpec,
        route: Route,
        references: References,
        group: str,
    ) -> Iterable[StructuredInput]:
        if isinstance(item, FileValueSpec):
            return (FileValueInput(file=item.file, key=item.key),)
        if isinstance(item, EnvInputSpec):
            return (EnvInput(env=item.env),)
        if isinstance(item, CommandInputSpec):
            return (CommandInput(command=item.command),)
        foreign: list[str] = []
        tasks = references.resolve(
            item.outputs_of,
            (*route, "outputs-of"),
            self._findings,
            foreign=foreign,
            group=group,
        )
        return [OutputsOfInput(outputs_of=task) for task in (*tasks, *foreign)]

    def _report_cycles(self) -> None:
        edges = {
            name: [
                item.removeprefix("!")
                for item in items
                if isinstance(item, str) and item.removeprefix("!") in self._items
            ]
            for name, items in self._items.items()
        }
        cycles = list(find_cycles(edges))
        if not cycles:
            self._report_depths(edges)
        for cycle in cycles:
            path = " → ".join(f"`{name}`" for name in (*cycle, cycle[0]))
            message = f"named inputs refer to each other in a circle: {path}"
            labels = (
                Label(self._place(name, taken), f"and `{name}` takes in `{taken}`" if index else "")
                for index, (name, taken) in enumerate(
                    zip(cycle[:_MOST_LABELS], [*cycle[1:], cycle[0]], strict=False)
                )
            )
            self._findings.append(Finding(Code.NAMED_INPUT_CYCLE, message, tuple(labels)))

    def _place(self, name: str, taken: str) -> Route:
        """Where a named input takes in another one."""
        texts = [
            item.removeprefix("!") if isinstance(item, str) else "" for item in self._items[name]
        ]
        return ("named-inputs", name, texts.index(taken))

    def _report_depths(self, edges: Mapping[str, Sequence[str]]) -> None:
        depths: dict[str, int] = {}
        for root in edges:
            pending = [root]
            while pending:
                below = [name for name in edges[pending[-1]] if name not in depths]
                if below:
                    pending.extend(below)
                else:
                    name = pending.pop()
                    depths[name] = 1 + max((depths[taken] for taken in edges[name]), default=0)
        for name, depth in depths.items():
            if depth == DEEPEST + 1:
                message = f"named inputs take each other in more than {DEEPEST} deep"
                label = Label(("named-inputs", name), at="key")
                self._findings.append(Finding(Code.INVALID_VALUE, message, (label,)))


def _taken_in(name: str, items: dict[str, list[Item]]) -> list[str]:
    """A named input and all that it takes in, each once, in the order of the file."""
    seen: dict[str, None] = {}
    pending = [name]
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen[current] = None
        pending.extend(
            item for item in reversed(items[current]) if isinstance(item, str) and item in items
        )
    return list(seen)


def lower_outputs(items: Sequence[str | OutputSpec]) -> tuple[OutputPattern, ...]:
    """A task's output patterns, in the order of the file."""
    patterns = []
    for item in items:
        written = item if isinstance(item, str) else item.glob
        excludes = written.startswith("!")
        patterns.append(
            OutputPattern(
                glob=written.removeprefix("!"),
                exclude=excludes,
                optional=not isinstance(item, str) and item.optional and not excludes,
            )
        )
    return tuple(patterns)
