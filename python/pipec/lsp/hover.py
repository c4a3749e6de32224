"""Hover: what a key is for, what a name stands for, and what is known of a task as things are."""

from collections.abc import Iterator

from lsprotocol import types

from pipec.diagnostics import Route
from pipec.frontend.outline.entries import TABLES, Entry
from pipec.ir.task import TaskId
from pipec.lsp.analysis import Analysis
from pipec.lsp.expected import expected_at
from pipec.lsp.inspection import Inspected, Machine, inspect
from pipec.lsp.names import Occurrence
from pipec.lsp.words import describe_key

_OUTCOMES = {
    "run": "would run",
    "cached": "cached",
    "unknown": "may run",
    "skipped": "would be skipped",
}
_MOST_LISTED = 20


def hover(analysis: Analysis, position: types.Position, machine: Machine) -> types.Hover | None:
    """What is known of the key, the name or the pattern at a position."""
    offset = analysis.positions.offset(position)
    name = analysis.names.at(offset)
    if name is not None and name.path is not None:
        text = "\n\n".join(_about_name(analysis, name, machine))
        return _hover(analysis, text, name.range)
    entries = list(analysis.outline.around(offset))
    for entry in reversed(entries):
        if entry.key[0] <= offset <= entry.key[1] and isinstance(entry.route[-1], str):
            return _hover(analysis, _about_key(analysis, entry.route), entry.key)
    for entry in reversed(entries):
        if entry.kind in {"text", "plain"} and entry.value[0] <= offset <= entry.value[1]:
            return _hover(analysis, _about_value(analysis, entry, machine), entry.value)
    return None


def _hover(analysis: Analysis, text: str, place: tuple[int, int]) -> types.Hover | None:
    if not text:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, text)
    return types.Hover(content, analysis.positions.range(*place))


def _about_key(analysis: Analysis, route: Route) -> str:
    """The description of a key, from the models."""
    for key in expected_at(route[:-1], analysis.outline).table_keys():
        if key.name == route[-1]:
            said = describe_key(key, analysis.notation)
            return f"**{key.name}**: {said}"
    return ""


def _about_value(analysis: Analysis, entry: Entry, machine: Machine) -> str:
    """A pattern of a task's inputs: how many files it takes in. Any other value: its key."""
    route = entry.route
    for name, place in analysis.names.tasks.items():
        if route[: len(place) + 1] == (*place, "inputs") and entry.kind == "text":
            inspected = _inspected(analysis, name, machine)
            counts = dict(inspected.by_rule) if isinstance(inspected, Inspected) else {}
            if entry.text in counts:
                verb = "excludes" if entry.text.startswith("!") else "selects"
                return f"`{entry.text}` {verb} {_files(counts[entry.text])}"
    keys = [depth for depth, part in enumerate(route, 1) if isinstance(part, str)]
    return _about_key(analysis, route[: keys[-1]]) if keys else ""


def _about_name(analysis: Analysis, name: Occurrence, machine: Machine) -> Iterator[str]:
    assert name.path is not None, "only a name that means something is asked about"
    full = ".".join(name.path)
    route = analysis.names.of(name.kind).get(full)
    if route is None:
        yield f"**{full}**: a group of tasks" if name.kind == "task" else f"**{full}**"
        return
    yield f"**{full}**: {name.kind}"
    description = analysis.outline.value((*route, "description"))
    if isinstance(description, str) and description:
        yield description
    if name.kind == "task":
        yield from _about_task(analysis, full, route, machine)
    else:
        yield from _listed(analysis, route)


def _about_task(analysis: Analysis, name: str, route: Route, machine: Machine) -> Iterator[str]:
    needs = analysis.outline.value((*route, "depends-on"))
    if isinstance(needs, list) and needs:
        yield "Depends on " + ", ".join(f"`{need}`" for need in needs if isinstance(need, str))
    inspected = _inspected(analysis, name, machine)
    if isinstance(inspected, str):
        yield inspected
        return
    yield f"Inputs: {_files(inspected.files)}"
    if inspected.by_rule:
        lines = [f"- `{rule}`: {_files(count)}" for rule, count in inspected.by_rule]
        yield "\n".join(lines[:_MOST_LISTED])
    why = f": {inspected.why}" if inspected.why else ""
    yield f"Now: {_OUTCOMES[inspected.outcome]}{why}"
    if inspected.key is not None:
        yield f"Key: `{inspected.key}`"


def _inspected(analysis: Analysis, name: str, machine: Machine) -> Inspected | str:
    """What the engine says of a task; of a matrix, of its first combination."""
    loaded = analysis.loaded
    if loaded is None:
        return "The file has errors: inputs and key are known without them."
    ids = [task for task in loaded.pipeline.tasks if task.partition("[")[0] == name]
    if not ids:
        return "This task is not made."
    return inspect(loaded, analysis.path, TaskId(ids[0]), machine)


def _listed(analysis: Analysis, route: Route) -> Iterator[str]:
    """What a short table or list holds, as it is written."""
    for entry in analysis.outline.at(route):
        if entry.kind in TABLES or entry.kind == "list":
            start, end = entry.value
            written = analysis.content[start:end].decode(errors="replace")
            lines = written.splitlines()[:_MOST_LISTED]
            fence = "toml" if analysis.notation == "toml" else "yaml"
            yield "\n".join([f"```{fence}", *lines, "```"])


def _files(count: int) -> str:
    return f"{count:,} file" if count == 1 else f"{count:,} files"
