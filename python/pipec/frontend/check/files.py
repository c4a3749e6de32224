"""Rules on patterns: who owns a file, who reads it, and what is never looked at."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from pipec import _core
from pipec.codes import Code
from pipec.diagnostics import Addition, Finding, Label, Route
from pipec.frontend.check.checked import Checked
from pipec.frontend.origins import TaskOrigin
from pipec.ir.inputs import InputRules, NamedRule, OutputPattern, OutputsOfInput, Rule
from pipec.ir.task import Task, TaskId

_NEVER_INPUTS = frozenset({".git", ".pipec", "node_modules"})
_NEVER_OUTPUTS = frozenset({".git", ".pipec"})
_MAGIC = re.compile(r"[*?\[{\\]")

Pattern = tuple[str, bool]
"""A glob, and whether it excludes."""


def overlapping_outputs(checked: Checked) -> Iterator[Finding]:
    """Two tasks own one file, or a task owns the pipeline file. Each task is reported once."""
    reported: set[Route] = set()
    own_file = ((_literal(checked.document.path.rpartition("/")[2]), False),)
    # Equal lists of outputs, as defaults and a matrix make them, are compared only once.
    owners: dict[tuple[Pattern, ...], list[Task]] = defaultdict(list)
    for task in checked.pipeline.tasks.values():
        if task.outputs:
            owners[tuple(_owned(task.outputs))].append(task)
    for patterns, tasks in owners.items():
        for _, _, path in _overlaps([patterns, patterns]) if len(tasks) > 1 else ():
            for later in tasks[1:]:
                yield from _shared_output(checked, tasks[0], later, path, reported)
    sets = [own_file, *owners]
    for first, second, path in _overlaps(sets):
        later = owners[sets[second]][0]
        if first > 0:
            yield from _shared_output(checked, owners[sets[first]][0], later, path, reported)
            continue
        origin = checked.origins[later.id]
        reported.add(origin.route)
        message = f"the outputs of `{later.id}` take in the pipeline file itself"
        label = Label(origin.of("outputs"), at="key")
        yield Finding(Code.OVERLAPPING_OUTPUTS, message, (label,))


def _shared_output(
    checked: Checked, earlier: Task, later: Task, path: str, reported: set[Route]
) -> Iterator[Finding]:
    origin, other = checked.origins[later.id], checked.origins[earlier.id]
    if origin.route in reported:
        return
    reported.add(origin.route)
    message = f"`{earlier.id}` and `{later.id}` both own `{path}`"
    label = Label(origin.of("outputs"), at="key")
    if other is origin:
        advice = "the combinations of a matrix run one beside the other: they need own outputs"
        yield Finding(Code.OVERLAPPING_OUTPUTS, message, (label,), (advice,))
        return
    label = Label(label.route, f"outputs of `{later.id}`", at="key")
    labels = (label, Label(other.of("outputs"), f"outputs of `{earlier.id}`", at="key"))
    yield Finding(Code.OVERLAPPING_OUTPUTS, message, labels)


def undeclared_dependencies(checked: Checked) -> Iterator[Finding]:
    """A task reads what another one makes, and does not wait for it."""
    tasks = checked.pipeline.tasks
    owners = _Owners(tasks)
    met: dict[tuple[Pattern, ...], list[tuple[Task, str]]] = {}
    for task, origin in checked.written_tasks if owners else ():
        patterns = tuple(_selected(task.inputs, checked.pipeline.named_inputs))
        if patterns not in met:
            met[patterns] = _makers(patterns, owners.near(patterns))
        strangers = (
            (owner, path)
            for owner, path in met[patterns]
            if owner.id not in task.depends_on and checked.origins[owner.id] is not origin
        )
        first = next(strangers, None)
        if first is None:
            continue
        before = _all_before(task.id, tasks)
        missing = [
            (owner, path) for owner, path in chain([first], strangers) if owner.id not in before
        ]
        if missing:
            yield _undeclared(task, origin, missing, checked.origins[missing[0][0].id])


def _makers(patterns: Sequence[Pattern], owners: Sequence[Task]) -> list[tuple[Task, str]]:
    """The owners of files that the patterns select, each with such a file."""
    sets = [patterns, *(_owned(owner.outputs) for owner in owners)]
    found = _overlaps(sets) if owners else []
    return [(owners[right - 1], path) for left, right, path in found if left == 0]


def outputs_of_strangers(checked: Checked) -> Iterator[Finding]:
    """A task takes the outputs of one that it does not wait for."""
    for task, origin in checked.written_tasks:
        wanted = [item for item in task.structured_inputs if isinstance(item, OutputsOfInput)]
        before: set[str] = set(task.foreign_needs)
        if wanted:
            before |= _all_before(task.id, checked.pipeline.tasks)
        for item in wanted:
            if item.outputs_of not in before:
                yield Finding(
                    Code.UNDECLARED_DEPENDENCY,
                    f"`{task.id}` takes the outputs of `{item.outputs_of}` without depending on it",
                    (Label(origin.of("inputs"), at="key"),),
                    (f"add `{item.outputs_of}` to `depends-on`",),
                    addition=Addition(origin.route, "depends-on", (item.outputs_of,)),
                )


def never_inputs(checked: Checked) -> Iterator[Finding]:
    """A pattern selects from a folder that is never entered."""
    for name, rules in checked.pipeline.named_inputs.items():
        items = checked.spec.named_inputs[name]
        indexes = [index for index, item in enumerate(items) if isinstance(item, str)]
        for rule, index in zip(rules, indexes, strict=True):
            if folder := _never_entered(rule):
                yield _never_input(rule, folder, Label(("named-inputs", name, index)))
    for task, origin in checked.all_written:
        for rule, index in zip(task.inputs, origin.inputs, strict=True):
            if folder := _never_entered(rule):
                yield _never_input(rule, folder, Label(origin.of("inputs", index)))


def never_outputs(checked: Checked) -> Iterator[Finding]:
    """A task owns files of git or of pipec."""
    for task, origin in checked.all_written:
        for index, output in enumerate(task.outputs):
            folder = _first_of(_NEVER_OUTPUTS, output.glob)
            if folder and not output.exclude:
                message = f"`{output.glob}` cannot be an output: nothing in `{folder}` can be owned"
                label = Label(origin.of("outputs", index))
                yield Finding(Code.INVALID_PATTERN, message, (label,))


def _never_entered(rule: Rule | NamedRule) -> str | None:
    """The folder that a pattern leads into and that is never entered."""
    if isinstance(rule, NamedRule) or rule.exclude:
        return None
    return _first_of(_NEVER_INPUTS, rule.glob)


def _never_input(rule: Rule | NamedRule, folder: str, label: Label) -> Finding:
    written = rule.named if isinstance(rule, NamedRule) else rule.glob
    message = f"`{written}` selects nothing: no file in `{folder}` is ever an input"
    return Finding(Code.NEVER_AN_INPUT, message, (label,), severity="warning")


def _first_of(names: frozenset[str], glob: str) -> str | None:
    """The first component of a pattern that is one of these names."""
    parts = glob.split("/")
    return None if names.isdisjoint(parts) else next(part for part in parts if part in names)


def _undeclared(
    task: Task, origin: TaskOrigin, missing: Sequence[tuple[Task, str]], maker: TaskOrigin
) -> Finding:
    owner, path = missing[0]
    message = f"`{task.id}` reads `{path}`, which `{owner.id}` makes, and does not depend on it"
    if len(missing) > 1:
        others = len(missing) - 1
        message += f" (and of {others} other task{'' if others == 1 else 's'})"
    return Finding(
        Code.UNDECLARED_DEPENDENCY,
        message,
        (
            Label(origin.of("inputs"), "read here", at="key"),
            Label(maker.of("outputs"), f"made here, by `{owner.id}`", at="key"),
        ),
        (f"add `{owner.id}` to `depends-on`, or exclude its outputs",),
        severity="warning",
        addition=Addition(origin.route, "depends-on", (owner.id,)),
    )


class _Owners:
    """The tasks with outputs, by the folder that each pattern is sure to stand in."""

    def __init__(self, tasks: Mapping[TaskId, Task]) -> None:
        self._here: dict[str, dict[TaskId, Task]] = defaultdict(dict)
        self._below: dict[str, dict[TaskId, Task]] = defaultdict(dict)
        self._near: dict[str, dict[TaskId, Task]] = {}
        for task in tasks.values():
            for output in task.outputs:
                if not output.exclude:
                    folder = _folder(output.glob)
                    self._here[folder][task.id] = task
                    for above in _upwards(folder):
                        self._below[above][task.id] = task

    def __bool__(self) -> bool:
        return bool(self._here)

    def near(self, patterns: Sequence[Pattern]) -> list[Task]:
        """The owners whose outputs can meet the patterns; some of them may not."""
        near: dict[TaskId, Task] = {}
        for glob, excludes in patterns:
            if not excludes:
                near.update(self._near_one(glob))
        return list(near.values())

    def _near_one(self, glob: str) -> Mapping[TaskId, Task]:
        known = self._near.get(glob)
        if known is not None:
            return known
        folder = _folder(glob)
        near = self._near[glob] = dict(self._below.get(folder, {}))
        for above in _upwards(folder):
            near.update(self._here.get(above, {}))
        return near


def _folder(glob: str) -> str:
    """The part of a pattern before the first component with magic."""
    magic = _MAGIC.search(glob)
    return glob if magic is None else glob[: magic.start()].rpartition("/")[0]


def _upwards(folder: str) -> Iterator[str]:
    """The folder, the folder above, and so on to the root, which is empty."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _all_before(task_id: TaskId, tasks: Mapping[TaskId, Task]) -> frozenset[TaskId]:
    """All tasks that must pass before this one."""
    before: set[TaskId] = set()
    pending = [task_id]
    while pending:
        for need in tasks[pending.pop()].depends_on:
            if need not in before:
                before.add(need)
                pending.append(need)
    return frozenset(before)


def _selected(rules: InputRules, named: Mapping[str, InputRules]) -> list[Pattern]:
    """The patterns of a task's inputs; a named input that is taken out counts by what it takes."""
    patterns: list[Pattern] = []
    for rule in rules:
        if isinstance(rule, Rule):
            patterns.append((rule.glob, rule.exclude))
            continue
        patterns.extend(
            (inner.glob, rule.exclude or inner.exclude)
            for inner in _flat(rule.named, named)
            if not (rule.exclude and inner.exclude)
        )
    return patterns


def _flat(name: str, named: Mapping[str, InputRules]) -> Iterator[Rule]:
    seen: set[str] = set()
    pending: list[Rule | NamedRule] = [NamedRule(named=name)]
    while pending:
        rule = pending.pop()
        if isinstance(rule, Rule):
            yield rule
        elif rule.named not in seen:
            seen.add(rule.named)
            pending.extend(reversed(named[rule.named]))


def _owned(outputs: Sequence[OutputPattern]) -> list[Pattern]:
    return [(output.glob, output.exclude) for output in outputs]


def _literal(name: str) -> str:
    return "".join(f"\\{character}" if character in "*?[]{}\\" else character for character in name)


def _overlaps(sets: Sequence[Sequence[Pattern]]) -> list[tuple[int, int, str]]:
    written = [
        [
            {"glob": glob, "exclude": True} if excludes else {"glob": glob}
            for glob, excludes in rules
        ]
        for rules in sets
    ]
    return _core.overlaps(json.dumps(written))
